package puller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	pulls, pages, items, events, letters, dropped, requests, fetches *prometheus.CounterVec
	success, waiting, lag                                            *prometheus.GaugeVec
	partitions                                                       prometheus.Gauge
	commit                                                           prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "throughline", Subsystem: "puller", Name: name, Help: help}
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts(opts(name, help)), append([]string{"workspace", "source"}, labels...))
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts(opts(name, help)), append([]string{"workspace", "source"}, labels...))
	}
	m := &metrics{
		pulls:    counter("pulls_total", "Runs of a pull that ended: ok, or the reason of the failure.", "entry", "outcome"),
		pages:    counter("pages_total", "Answers that were read for their items.", "entry"),
		items:    counter("items_total", "Items that were read.", "entry"),
		events:   counter("events_total", "Events that Kafka has, by type; one that is asked for again counts again.", "type"),
		letters:  counter("dead_letters_total", "Items that went to the dead letters, by code.", "code"),
		dropped:  counter("identities_dropped_total", "Identifiers that join nobody, by reason.", "reason"),
		requests: counter("requests_total", "Requests to the vendor: ok, or the reason of the failure.", "outcome"),
		fetches:  counter("fetches_total", "Items that were asked back: done, later (tried again), or dead.", "outcome"),
		success:  gauge("last_success_timestamp_seconds", "When the last run of a pull that succeeded ended.", "entry"),
		waiting:  gauge("fetches_waiting", "Fetches that are tried again later."),
		lag:      gauge("fetches_behind", "Records of the fetches' topic that are not read yet, others' among them."),
		partitions: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "throughline", Subsystem: "puller", Name: "partitions", Help: "Partitions whose instances this process works for.",
		}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "puller", Name: "commit_seconds", Help: "How long transactions took.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
	}
	reg.MustRegister(m.pulls, m.pages, m.items, m.events, m.letters, m.dropped, m.requests, m.fetches, m.success, m.waiting, m.lag, m.partitions, m.commit)
	return m
}

// succeeded says when a pull last did: after a restart too.
func (m *metrics) succeeded(id pullID, at time.Time) {
	if !at.IsZero() {
		m.success.WithLabelValues(id.Workspace, id.Instance, id.Entry).Set(float64(at.Unix()))
	}
}
