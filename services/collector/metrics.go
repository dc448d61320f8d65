package collector

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	hookMetrics
	accepted, rejected, dropped, duplicates *prometheus.CounterVec
	refused                                 *prometheus.CounterVec
	declined                                prometheus.Counter
	leases, bots                            *prometheus.CounterVec
	forwarded                               prometheus.Counter
	held                                    *prometheus.GaugeVec
	leaseCommit                             prometheus.Histogram
	requests, bytes                         prometheus.Gauge
	produce                                 prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, kafka *atomic.Pointer[connection]) *metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "throughline", Subsystem: "collector", Name: name, Help: help}
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts(opts(name, help)), labels)
	}
	m := &metrics{
		hookMetrics: newHookMetrics(reg),
		accepted:    vec("events_total", "Events that Kafka has acknowledged, by type.", "workspace", "type"),
		rejected:    vec("rejected_total", "Items that went to the dead letters, by code.", "workspace", "code"),
		dropped:     vec("identities_dropped_total", "Identifiers that join nobody, by reason.", "workspace", "reason"),
		duplicates:  vec("duplicates_total", "Events that were told as duplicates at the door.", "workspace"),
		declined: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "throughline", Subsystem: "collector", Name: "declined_total", Help: "Visits not counted because the browser asks not to be tracked (Global Privacy Control).",
		}),
		leases: vec("leases_total", "Requests for a pool's number: given, kept (the visitor had it), dry (all are held), declined (a bot, or Global Privacy Control).",
			"workspace", "pool", "result"),
		bots: vec("bots_total", "Visits of browsers that say they are bots.", "workspace"),
		forwarded: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: "throughline", Subsystem: "collector", Name: "leases_forwarded_total", Help: "Requests for a number sent on to the process that owns the pool.",
		}),
		held: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "throughline", Subsystem: "collector", Name: "numbers_held", Help: "Numbers of a pool that visitors hold.",
		}, []string{"workspace", "pool"}),
		leaseCommit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "collector", Name: "lease_commit_seconds", Help: "How long new leases took to be committed.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
		refused:  vec("requests_refused_total", "Requests refused as a whole, by reason.", "reason"),
		requests: prometheus.NewGauge(prometheus.GaugeOpts(opts("requests", "Requests being handled; max_requests is the limit."))),
		bytes:    prometheus.NewGauge(prometheus.GaugeOpts(opts("body_bytes", "Memory reserved for bodies; max_body_bytes is the limit."))),
		produce: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "collector", Name: "produce_seconds", Help: "How long requests waited for Kafka; delivery_timeout is the limit.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
	}
	buffered := func(name, help string, of func(*connection) int64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts(name, help)), func() float64 {
			if k := kafka.Load(); k != nil {
				return float64(of(k))
			}
			return 0
		})
	}
	reg.MustRegister(m.accepted, m.rejected, m.dropped, m.duplicates, m.refused, m.declined, m.leases, m.bots, m.forwarded, m.held, m.leaseCommit, m.requests, m.bytes, m.produce,
		buffered("buffered_records", "Records waiting for Kafka; max_buffered_records is the limit.", func(k *connection) int64 { return k.client.BufferedProduceRecords() }),
		buffered("buffered_bytes", "Bytes waiting for Kafka; max_buffered_bytes is the limit.", func(k *connection) int64 { return k.client.BufferedProduceBytes() }),
	)
	return m
}
