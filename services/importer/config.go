package importer

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Limits of an import.
const (
	// batchItems and batchBytes bound a batch of items on its way: by the number, and by what they take in memory.
	batchItems = 500
	batchBytes = 1 << 20
	// unacked is how many batches may wait for Kafka.
	unacked = 64
	// saveEvery is how often it is written down how far a file is: what a kill costs is read and sent again.
	saveEvery = time.Second
	// lagEvery is how often the stages are asked how far they are behind.
	lagEvery = 200 * time.Millisecond
	// flushPatience is how long Kafka is waited for when the import is cancelled.
	flushPatience = 10 * time.Second
	// linger is how long a record waits for others of its partition.
	linger = 5 * time.Millisecond
	// samplesOfAKind is how many faults of one kind are told with their place.
	samplesOfAKind = 3
)

// DefaultMaxLag is how many records may wait before a stage, and so what an event that comes live may find before it: less than two
// seconds of the stitcher's work on two cores that the import and the engines share with it.
const DefaultMaxLag = 20_000

// Stage is a consumer group that must not fall behind.
type Stage struct {
	Name   string
	Group  string
	Topics []string
	// Share is how many times the limit it may lag: one that takes its records in large batches is always behind by a batch.
	Share int64
}

// Config is how an import runs.
type Config struct {
	// Kafka says how to reach the brokers.
	Kafka []kgo.Opt
	// TopicPrefix stands before every topic.
	TopicPrefix string
	// Stages are watched: the import sends no more than keeps each one's lag below MaxLag records. 0: nobody is waited for.
	Stages []Stage
	MaxLag int64
	// MaxBufferedRecords and MaxBufferedBytes bound what waits for Kafka.
	MaxBufferedRecords, MaxBufferedBytes int
	// Workers is how many items are mapped at once.
	Workers int
	// DryRun reads and maps, and sends nothing; there is no Kafka then.
	DryRun bool
	// Again imports a file though it was imported before.
	Again bool
}

// DefaultConfig is for a small machine.
func DefaultConfig() Config {
	return Config{MaxLag: DefaultMaxLag, MaxBufferedRecords: 50_000, MaxBufferedBytes: 64 << 20, Workers: runtime.GOMAXPROCS(0)}
}

// Validate reports every fault.
func (c Config) Validate() error {
	var all []error
	need := func(ok bool, field string, value any, rule string) {
		if !ok {
			all = append(all, fmt.Errorf("import.%s: %v: %s", field, value, rule))
		}
	}
	need(c.MaxLag >= 0, "max_lag", c.MaxLag, "must not be negative; 0 waits for nobody")
	need(c.MaxBufferedRecords > 0, "max_buffered_records", c.MaxBufferedRecords, "must be positive")
	need(c.MaxBufferedBytes > 0, "max_buffered_bytes", c.MaxBufferedBytes, "must be positive")
	need(c.Workers > 0, "workers", c.Workers, "must be positive")
	return errors.Join(all...)
}
