package collector

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
)

// Limits of the contract (SPEC §2).
const (
	// MaxRequestBytes is the largest body, after decompression.
	MaxRequestBytes = 16 << 20
	// MaxItems is the most events a request may hold.
	MaxItems = 10_000
)

// oneRequest is the most memory that one request takes: its body, and what is made of it.
const oneRequest = maxWindow + (1+copies)*(MaxRequestBytes+1)

// maxLinger is the longest that a request may be kept waiting for others.
const maxLinger = 500 * time.Millisecond

// copies is how many times a body's size the events and records that are made of it take: raw and parsed.
const copies = 3

// Config is how the collector runs.
type Config struct {
	// Kafka says how to reach the brokers.
	Kafka []kgo.Opt
	// TopicPrefix stands before every topic.
	TopicPrefix string
	// MaxRequests and MaxBodyBytes bound the requests being handled at once and the memory of their bodies, with what is made of
	// them; beyond them the answer is 429.
	MaxRequests  int
	MaxBodyBytes int64
	// MaxBufferedRecords and MaxBufferedBytes bound what waits for Kafka; beyond them the answer is 429.
	MaxBufferedRecords, MaxBufferedBytes int
	// DeliveryTimeout is how long a request waits for Kafka; beyond it the answer is 503.
	DeliveryTimeout time.Duration
	// Linger is how long a record waits for others of its partition.
	Linger time.Duration
	// MaxAhead is how far ahead of this machine's clock an event may be.
	MaxAhead time.Duration
	// Recent is how many acknowledged events are remembered to tell a duplicate at the door.
	Recent int
	// Advertise is the address (http://host:port) under which other collectors reach this one, asked once it runs: a visitor's request for
	// a number goes to the one that owns the pool.
	Advertise func() string
	// PublicURL is where vendors reach the collector, such as https://in.shop.example: some sign it. As the request says, if empty.
	PublicURL string
}

// DefaultConfig is for a small machine.
func DefaultConfig() Config {
	return Config{
		MaxRequests: 1000, MaxBodyBytes: 256 << 20, MaxBufferedRecords: 200_000, MaxBufferedBytes: 256 << 20, DeliveryTimeout: 10 * time.Second,
		Linger: 2 * time.Millisecond, MaxAhead: 24 * time.Hour, Recent: 100_000,
		Advertise: func() string { return "" },
	}
}

// Validate reports every fault.
func (c Config) Validate() error {
	var all []error
	need := func(ok bool, field string, value any, rule string) {
		if !ok {
			all = append(all, fmt.Errorf("collector.%s: %v: %s", field, value, rule))
		}
	}
	need(c.MaxRequests > 0, "max_requests", c.MaxRequests, "must be positive")
	need(c.MaxBodyBytes >= oneRequest, "max_body_bytes", c.MaxBodyBytes, fmt.Sprintf("must have room for one request: %d", oneRequest))
	need(c.MaxBufferedRecords >= MaxItems, "max_buffered_records", c.MaxBufferedRecords, "must have room for one request")
	need(c.MaxBufferedBytes >= oneRequest, "max_buffered_bytes", c.MaxBufferedBytes, fmt.Sprintf("must have room for one request: %d", oneRequest))
	need(c.DeliveryTimeout >= time.Second, "delivery_timeout", c.DeliveryTimeout, "must be a second at least: a moving leader takes as long")
	need(c.Linger >= 0 && c.Linger <= maxLinger, "linger", c.Linger, fmt.Sprintf("must be 0 to %s", maxLinger))
	need(c.MaxAhead > 0, "max_ahead", c.MaxAhead, "must be positive")
	need(c.Recent >= 0, "recent", c.Recent, "must not be negative")
	return errors.Join(all...)
}

// leasesTopic is the log of leases.
func (c Config) leasesTopic() string { return c.TopicPrefix + pipelines.TopicLeases }
