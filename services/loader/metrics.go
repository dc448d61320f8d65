package loader

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	records, batches, replays, dead, retries prometheus.Counter
	rows                                     *prometheus.CounterVec
	seconds                                  prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "throughline", Subsystem: "loader", Name: name, Help: help})
	}
	m := &metrics{
		records: counter("records_total", "Kafka records loaded."),
		batches: counter("batches_total", "Batches loaded."),
		replays: counter("replayed_plans_total", "Batches that a former life had planned and that were inserted again."),
		dead:    counter("dead_letters_total", "Records that could not be decoded."),
		retries: counter("insert_retries_total", "Inserts that were tried again."),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "throughline", Subsystem: "loader", Name: "rows_total", Help: "Rows inserted, by table.",
		}, []string{"table"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "loader", Name: "batch_seconds", Help: "From a batch's plan to its last insert.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
	}
	reg.MustRegister(m.records, m.batches, m.replays, m.dead, m.retries, m.rows, m.seconds)
	return m
}
