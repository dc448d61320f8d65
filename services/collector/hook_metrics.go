package collector

import (
	"github.com/prometheus/client_golang/prometheus"
)

// hookMetrics are those of vendors' requests. Labels are of the configuration, never of a request.
type hookMetrics struct {
	hooks, hookItems, forged *prometheus.CounterVec
	mapped                   *prometheus.HistogramVec
}

func newHookMetrics(reg prometheus.Registerer) hookMetrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "throughline", Subsystem: "sources", Name: name, Help: help}
	}
	m := hookMetrics{
		hooks: prometheus.NewCounterVec(prometheus.CounterOpts(opts("requests_total", "Vendors' requests that Kafka has, by result: taken, handshake.")),
			[]string{"workspace", "source", "result"}),
		hookItems: prometheus.NewCounterVec(prometheus.CounterOpts(opts("items_total",
			"Items of vendors' requests, by result: mapped, fetched (the vendor is asked back), silent (it means nothing), or the code of its dead letter.")),
			[]string{"workspace", "source", "result"}),
		forged: prometheus.NewCounterVec(prometheus.CounterOpts(opts("refused_total", "Requests that a check did not let in, by reason.")),
			[]string{"workspace", "source", "reason"}),
		mapped: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "sources", Name: "mapping_seconds", Help: "How long vendors' requests waited for their mapping and were mapped.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9),
		}, []string{"workspace", "source"}),
	}
	reg.MustRegister(m.hooks, m.hookItems, m.forged, m.mapped)
	return m
}

// settleHook counts what Kafka has now of a vendor's request.
func (c *Collector) settleHook(h *hook, b *hookBatch) {
	c.settle(b.batch)
	workspace, name := h.instance.Workspace.Name, h.instance.Name
	c.metrics.hooks.WithLabelValues(workspace, name, "taken").Inc()
	count := func(result string, n int) {
		if n > 0 {
			c.metrics.hookItems.WithLabelValues(workspace, name, result).Add(float64(n))
		}
	}
	rest := b.items - b.fetches - b.silent
	for code, n := range b.bad {
		count(code, n)
		c.metrics.rejected.WithLabelValues(workspace, code).Add(float64(n))
		rest -= n
	}
	count("mapped", rest)
	count("fetched", b.fetches)
	count("silent", b.silent)
}
