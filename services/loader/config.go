package loader

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Config is how the loader runs.
type Config struct {
	// Kafka says how to reach the brokers.
	Kafka []kgo.Opt
	// TopicPrefix stands before every topic and the group.
	TopicPrefix string
	// Group is the consumer group.
	Group string
	// MaxRows and MaxBytes bound a batch: rows of all tables, bytes of records. In memory are two at most: the one that is loaded, and
	// the next one.
	MaxRows  int
	MaxBytes int
	// Linger is how long a batch waits for more records, from the batch before it on.
	Linger time.Duration
	// PollTimeout bounds a wait for the first record.
	PollTimeout time.Duration
	// FetchWait is how long the broker may hold a fetch that finds nothing.
	FetchWait time.Duration
	// SessionTimeout is after how long without a heartbeat the partitions go to others; RebalanceTimeout how long a
	// batch may hold a rebalance up.
	SessionTimeout, RebalanceTimeout time.Duration
	// PlanTimeout is how long after its plan a batch may still be inserted. It keeps a process that slept from repeating
	// inserts that ClickHouse no longer remembers: within it, all loaders must make fewer inserts than its memory is long.
	PlanTimeout time.Duration
	// Inserts is how many tables are inserted into at once: of more, those that reports read would be there later.
	Inserts int
	// Retries bounds how often an insert is tried again before Run gives up (and is started again).
	Retries int
	// Trace, if set, is told of each step of a batch: tests make it fail there.
	Trace func(step string) error
}

// DefaultConfig is for a small machine.
func DefaultConfig() Config {
	return Config{
		Group: "throughline.loader", MaxRows: 200_000, MaxBytes: 24 << 20, Linger: 100 * time.Millisecond, PollTimeout: 200 * time.Millisecond,
		FetchWait: 100 * time.Millisecond, SessionTimeout: 10 * time.Second, RebalanceTimeout: time.Minute, PlanTimeout: 5 * time.Minute, Inserts: 2, Retries: 20,
	}
}

// Validate reports every fault.
func (c Config) Validate() error {
	var all []error
	need := func(ok bool, field string, value any, rule string) {
		if !ok {
			all = append(all, fmt.Errorf("loader.%s: %v: %s", field, value, rule))
		}
	}
	need(c.Group != "", "group", c.Group, "must not be empty")
	need(c.MaxRows > 0 && c.MaxRows <= 1_000_000, "max_rows", c.MaxRows, "must be from 1 to 1000000")
	need(c.MaxBytes > 0 && c.MaxBytes < 1<<30, "max_bytes", c.MaxBytes, "must be positive and below 1 GiB")
	need(c.Linger > 0 && c.Linger <= 200*time.Millisecond, "linger", c.Linger, "must be positive and at most 200ms")
	need(c.PollTimeout > 0, "poll_timeout", c.PollTimeout, "must be positive")
	need(c.FetchWait > 0, "fetch_wait", c.FetchWait, "must be positive")
	need(c.SessionTimeout > 0, "session_timeout", c.SessionTimeout, "must be positive")
	need(c.RebalanceTimeout > 0, "rebalance_timeout", c.RebalanceTimeout, "must be positive")
	need(c.PlanTimeout > 0, "plan_timeout", c.PlanTimeout, "must be positive")
	need(c.Inserts > 0, "inserts", c.Inserts, "must be positive")
	need(c.Retries >= 0, "retries", c.Retries, "must not be negative")
	return errors.Join(all...)
}

func (c Config) topic(name string) string { return c.TopicPrefix + name }

func (c Config) trace(step string) error {
	if c.Trace == nil {
		return nil
	}
	return c.Trace(step)
}
