package stitcher

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/services/stitcher/state"
)

// Limits that are not settings.
const (
	// maxRecordBytes bounds one record to Kafka. People travel and are posted in pieces far below it (identity.DefaultLimits, maxFactBytes);
	// what may come near is one event with very many identifiers, and the dead letter of a large one.
	maxRecordBytes = 16 << 20
	// maxBufferedRecords bounds what waits in the producer; Produce blocks beyond it.
	maxBufferedRecords = 50_000
	// maxRowsAPosting bounds a posting's credits and its other rows, maxFactBytes what it takes, as long as it has more than one row;
	// a larger one is several records of one cause.
	maxRowsAPosting = 5_000
	maxFactBytes    = 512 << 10
)

// Config is how the stitcher runs.
type Config struct {
	// Kafka says how to reach the brokers.
	Kafka []kgo.Opt
	// TopicPrefix stands before every topic and the group.
	TopicPrefix string
	// Group is the consumer group.
	Group string
	// TransactionalID names this process: the same one at every start, another one for every process. A start
	// under it ends what a former life left open.
	TransactionalID string
	// TransactionTimeout is after how long the broker aborts the transaction of a process that is gone for good.
	TransactionTimeout time.Duration
	// StopTimeout bounds how long a process that is told to stop waits for the transaction it is in. One that has not ended then is looked
	// into by the next start.
	StopTimeout time.Duration
	// SessionTimeout is after how long without a heartbeat the partitions go to others.
	SessionTimeout time.Duration
	// FetchWait is how long the broker may hold a fetch that finds nothing.
	FetchWait time.Duration
	// PollTimeout is after how long without records ownership is looked at.
	PollTimeout time.Duration
	// Linger is how long after the beginning of a transaction the next one begins at the earliest, unless there is plenty to do.
	Linger time.Duration
	// MaxRecords bounds a transaction.
	MaxRecords int
	// StateDir holds what is kept of the changelog between starts; no other process may use it. Empty: in memory, and each start
	// reads the changelog from its beginning.
	StateDir string
	// State bounds what the store takes of memory.
	State state.Options
	// CacheBytes bounds, about, the people kept at hand, and HeavyBytes those beside them with very much of everything, which are slow to
	// read from the disk.
	CacheBytes, HeavyBytes int
	// MaxPersonNodes is how many identifiers a person may have before that is counted and logged.
	MaxPersonNodes int
	// Workers is how many partitions are worked on at once.
	Workers int
}

// DefaultConfig is for a small machine.
func DefaultConfig() Config {
	return Config{
		Group: "throughline.stitcher", TransactionalID: "throughline-stitcher-0", TransactionTimeout: 30 * time.Second,
		StopTimeout:    8 * time.Second, // whoever stops containers kills them after ten
		SessionTimeout: 10 * time.Second, FetchWait: 100 * time.Millisecond, PollTimeout: defaultPollTimeout, Linger: 100 * time.Millisecond,
		MaxRecords: 10_000, Workers: 2, State: state.DefaultOptions(), CacheBytes: 32 << 20, HeavyBytes: 256 << 20, MaxPersonNodes: 1000,
	}
}

// Validate reports every fault.
func (c Config) Validate() error {
	var all []error
	need := func(ok bool, field string, value any, rule string) {
		if !ok {
			all = append(all, fmt.Errorf("stitcher.%s: %v: %s", field, value, rule))
		}
	}
	need(c.Group != "", "group", c.Group, "must not be empty")
	need(c.TransactionalID != "", "transactional_id", c.TransactionalID, "must not be empty")
	need(c.TransactionTimeout > 0, "transaction_timeout", c.TransactionTimeout, "must be positive")
	need(c.StopTimeout > 0, "stop_timeout", c.StopTimeout, "must be positive")
	need(c.SessionTimeout > 0, "session_timeout", c.SessionTimeout, "must be positive")
	need(c.FetchWait > 0, "fetch_wait", c.FetchWait, "must be positive")
	need(c.PollTimeout > 0, "poll_timeout", c.PollTimeout, "must be positive")
	need(c.Linger >= 0 && c.Linger <= time.Second, "linger", c.Linger, "must be from 0 to 1s")
	need(c.MaxRecords > 0, "max_records", c.MaxRecords, "must be positive")
	need(c.CacheBytes > 0, "cache_bytes", c.CacheBytes, "must be positive")
	need(c.HeavyBytes > 0, "heavy_bytes", c.HeavyBytes, "must be positive")
	need(c.MaxPersonNodes > 0, "max_person_nodes", c.MaxPersonNodes, "must be positive")
	need(c.Workers > 0, "workers", c.Workers, "must be positive")
	return errors.Join(all...)
}

func (c Config) topic(name string) string { return c.TopicPrefix + name }
