package collector

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	accepted, rejected, dropped *prometheus.CounterVec
	duplicates                  prometheus.Counter
	refused                     *prometheus.CounterVec
	produce                     prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "throughline", Subsystem: "collector", Name: name, Help: help}, labels)
	}
	m := &metrics{
		accepted: vec("events_total", "Events that Kafka has acknowledged, by type.", "workspace", "type"),
		rejected: vec("rejected_total", "Items that went to the dead letters, by code.", "workspace", "code"),
		dropped:  vec("identities_dropped_total", "Identifiers that join nobody, by reason.", "workspace", "reason"),
		refused:  vec("requests_refused_total", "Requests refused as a whole, by reason.", "reason"),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "throughline", Subsystem: "collector", Name: "duplicates_total", Help: "Events that were told as duplicates at the door.",
		}),
		produce: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "collector", Name: "produce_seconds", Help: "How long requests waited for Kafka.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
	}
	reg.MustRegister(m.accepted, m.rejected, m.dropped, m.refused, m.duplicates, m.produce)
	return m
}
