package stitcher

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	records      *prometheus.CounterVec
	postings     prometheus.Counter
	credits      prometheus.Counter
	changes      prometheus.Counter
	changeBytes  prometheus.Counter
	transactions *prometheus.CounterVec
	seconds      prometheus.Histogram
	phases       *prometheus.CounterVec
	restored     prometheus.Counter
	restoring    prometheus.Gauge
	partitions   prometheus.Gauge
	dead         *prometheus.CounterVec
	remaining    prometheus.Gauge
	mended       prometheus.Counter
	repeated     prometheus.Counter
	large        *prometheus.CounterVec
	stateMemory  prometheus.Gauge
	stateDisk    prometheus.Gauge
	stateFilter  prometheus.Gauge
	stateRecent  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "throughline", Subsystem: "stitcher", Name: name, Help: help})
	}
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "throughline", Subsystem: "stitcher", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "throughline", Subsystem: "stitcher", Name: name, Help: help})
	}
	m := &metrics{
		records:      vec("records_total", "Records taken, by topic, in transactions that committed.", "topic"),
		postings:     counter("postings_total", "Postings committed."),
		credits:      counter("credits_total", "Ledger entries committed."),
		changes:      counter("changelog_records_total", "Changelog records committed."),
		changeBytes:  counter("changelog_bytes_total", "Bytes of changelog keys and values committed, before compression."),
		transactions: vec("transactions_total", "Transactions by how they ended: committed, aborted, failed.", "end"),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "throughline", Subsystem: "stitcher", Name: "transaction_seconds", Help: "From the first record to the commit.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14),
		}),
		phases:      vec("phase_seconds_total", "Where the time went: wait for records, work on them, commit what came of it, save it on the disk.", "phase"),
		restored:    counter("restored_records_total", "Changelog records read to restore partitions."),
		restoring:   gauge("restoring_partitions", "Partitions being restored now."),
		partitions:  gauge("partitions", "Partitions held, with their state restored."),
		mended:      counter("mended_transactions_total", "Transactions that had ended in some partitions only, and were ended in the others before the next one."),
		repeated:    counter("repeated_records_total", "Records that came again though they were worked off, and were passed over: the group's offsets had gone back."),
		remaining:   gauge("restore_remaining_records", "Changelog records that a restore has still to read, at most."),
		large:       vec("large_persons_total", "People met with more identifiers than max_person_nodes.", "workspace"),
		stateMemory: gauge("state_memory_bytes", "About what the people kept at hand take."),
		stateFilter: gauge("state_filter_bytes", "What it takes of memory to know which identifiers are new, without a look at the disk."),
		stateRecent: gauge("state_recent_bytes", "What it takes of memory to have the identifiers of late at hand, without a look at the disk."),
		stateDisk:   gauge("state_disk_bytes", "What the local copy of the changelog takes."),
		dead:        vec("dead_letters_total", "Records sent to the dead letters, by reason.", "reason"),
	}
	reg.MustRegister(m.records, m.postings, m.credits, m.changes, m.changeBytes, m.transactions, m.seconds, m.phases, m.restored, m.restoring,
		m.partitions, m.dead, m.remaining, m.mended, m.repeated, m.large, m.stateMemory, m.stateDisk, m.stateFilter, m.stateRecent)
	return m
}

// phase adds the time since a moment to a phase, and returns now.
func (m *metrics) phase(name string, since time.Time) time.Time {
	now := time.Now()
	m.phases.WithLabelValues(name).Add(now.Sub(since).Seconds())
	return now
}
