package loader

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	records, batches, replays, behind, dead, retries prometheus.Counter
	rows                                             *prometheus.CounterVec
	lag                                              *prometheus.GaugeVec
	seconds, delay                                   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "throughline", Subsystem: "loader", Name: name, Help: help})
	}
	m := &metrics{
		records: counter("records_total", "Kafka records loaded."),
		batches: counter("batches_total", "Batches loaded."),
		replays: counter("replayed_plans_total", "Batches that a former life had planned and that were inserted again."),
		behind:  counter("offsets_behind_total", "Partitions whose offset in the group was behind what is loaded, and was not believed."),
		dead:    counter("dead_letters_total", "Records that could not be decoded."),
		retries: counter("insert_retries_total", "Inserts, and looks at what is loaded, that were tried again."),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "throughline", Subsystem: "loader", Name: "rows_total", Help: "Rows inserted, by table.",
		}, []string{"table"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "loader", Name: "batch_seconds", Help: "From a batch's plan to its last insert.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "throughline", Subsystem: "loader", Name: "lag_records", Help: "Records of our partitions still to be taken, as of the last fetch.",
		}, []string{"topic"}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "loader", Name: "delay_seconds", Help: "From the writing of a batch's oldest record to Kafka until it stands in ClickHouse.",
			Buckets: prometheus.ExponentialBuckets(0.05, 2, 16),
		}),
	}
	reg.MustRegister(m.records, m.batches, m.replays, m.behind, m.dead, m.retries, m.rows, m.lag, m.seconds, m.delay)
	return m
}

// loaded counts a batch.
func (m *metrics) loaded(items []item, start time.Time) {
	m.batches.Inc()
	m.records.Add(float64(len(items)))
	m.seconds.Observe(time.Since(start).Seconds())
	oldest := start
	for _, i := range items {
		if at := i.record.Timestamp; at.Before(oldest) {
			oldest = at
		}
	}
	m.delay.Observe(time.Since(oldest).Seconds())
}
