package puller

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Limits that are not settings.
const (
	// batchEvents and batchBytes bound one transaction's events: a pull of any size goes to Kafka in parts of this size, and its state
	// with the last of them.
	batchEvents = 2_000
	batchBytes  = 4 << 20
	// maxRecordBytes bounds one record: a dead letter whose item is as large as a hook's.
	maxRecordBytes = 23 << 20
	// maxAccounts is how many accounts a pull may go through.
	maxAccounts = 10_000
	// maxLetters is how many items of one run may go to the dead letters; beyond it the run fails, as the mapping does not fit.
	maxLetters = 10_000
	// maxRun is how long a run may take.
	maxRun = 24 * time.Hour
	// fetchesAtOnce is how many fetches of one instance are asked for side by side.
	fetchesAtOnce = 4
	// maxWaiting is how many fetches of one instance wait to be tried again; further ones go to the dead letters.
	maxWaiting = 1_000
	// maxFetchAge is how long a fetch is tried again before it goes to the dead letters: as long as a vendor is away over a long weekend.
	maxFetchAge = 96 * time.Hour
	// firstAway and lastAway are the pauses of an instance whose vendor does not answer.
	firstAway = 15 * time.Second
	lastAway  = 15 * time.Minute
	// positionEvery is how often it is written down that nothing came.
	positionEvery = time.Second
)

// Config is how the puller runs.
type Config struct {
	// Kafka says how to reach the brokers.
	Kafka []kgo.Opt
	// TopicPrefix stands before every topic, group and transaction.
	TopicPrefix string
	// Pulls is how many pulls run at once in this process; one that waits for its vendor does not count.
	Pulls int
	// MaxAhead is how far ahead of this machine's clock an event may be.
	MaxAhead time.Duration
	// DeliveryTimeout is how long Kafka may take for a transaction.
	DeliveryTimeout time.Duration
	// SessionTimeout is after how long without a heartbeat a process's instances go to others.
	SessionTimeout time.Duration
	// Transport asks the vendors: http.DefaultTransport, if left out.
	Transport http.RoundTripper
}

// DefaultConfig is for a small machine.
func DefaultConfig() Config {
	return Config{Pulls: 4, MaxAhead: 24 * time.Hour, DeliveryTimeout: 20 * time.Second, SessionTimeout: 6 * time.Second}
}

// Validate reports every fault.
func (c Config) Validate() error {
	var all []error
	need := func(ok bool, field string, value any, rule string) {
		if !ok {
			all = append(all, fmt.Errorf("puller.%s: %v: %s", field, value, rule))
		}
	}
	need(c.Pulls > 0, "pulls", c.Pulls, "must be positive")
	need(c.MaxAhead > 0, "max_ahead", c.MaxAhead, "must be positive")
	need(c.DeliveryTimeout >= time.Second, "delivery_timeout", c.DeliveryTimeout, "must be a second at least: a moving leader takes as long")
	need(c.SessionTimeout >= time.Second, "session_timeout", c.SessionTimeout, "must be a second at least")
	return errors.Join(all...)
}

func (c Config) topic(name string) string { return c.TopicPrefix + name }
