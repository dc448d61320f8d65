package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/intake"
)

// connection is what the collector knows of Kafka while it is connected.
type connection struct {
	client *kgo.Client
	topics *intake.Topics
	// leases is how many partitions the log of leases has.
	leases int32
}

var (
	errNotConnected = errors.New("not connected to Kafka yet")
	errNoAnswer     = errors.New("no acknowledgement from Kafka in time")
)

// connect makes the producer. A record that Kafka does not answer in time fails, even if it may have been written: what
// is sent again is told by its id, and a sender that waits for ever is worse.
func (c *Collector) connect(ctx context.Context) (*connection, error) {
	client, err := kgo.NewClient(append(slices.Concat(c.cfg.Kafka, intake.Producer()),
		kgo.ProducerLinger(c.cfg.Linger),
		kgo.MaxBufferedRecords(c.cfg.MaxBufferedRecords),
		kgo.MaxBufferedBytes(c.cfg.MaxBufferedBytes),
		kgo.RecordDeliveryTimeout(c.cfg.DeliveryTimeout),
		kgo.AllowIdempotentProduceCancellation(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	k := &connection{client: client}
	if k.topics, err = intake.Count(ctx, client, c.cfg.TopicPrefix); err == nil {
		k.leases, err = intake.Partitions(ctx, client, c.cfg.leasesTopic())
	}
	if err != nil {
		client.Close()
		return nil, fmt.Errorf("collector: %w", err)
	}
	return k, nil
}

// produce hands records to Kafka and waits until it has all of them. Any failure is the request's: what got through is a
// duplicate when it is sent again.
func (c *Collector) produce(ctx context.Context, client *kgo.Client, records []*kgo.Record) error {
	return c.produceWithin(ctx, client, records, c.cfg.DeliveryTimeout)
}

// produceWithin is produce for a sender that waits for less long. What is under way stays under way.
func (c *Collector) produceWithin(ctx context.Context, client *kgo.Client, records []*kgo.Record, wait time.Duration) error {
	start := time.Now()
	defer func() { c.metrics.produce.Observe(time.Since(start).Seconds()) }()
	results := make(chan error, len(records)) // room for all: nobody may be left to take them
	for _, r := range records {
		client.TryProduce(ctx, r, func(_ *kgo.Record, err error) { results <- err })
	}
	late := time.NewTimer(wait)
	defer late.Stop()
	var first error
	for range records {
		select {
		case err := <-results:
			if first == nil {
				first = err
			}
		case <-late.C:
			return errors.Join(errNoAnswer, first)
		}
	}
	return first
}

// isFull says that the buffer in front of Kafka has no room.
func isFull(err error) bool { return errors.Is(err, kgo.ErrMaxBuffered) }
