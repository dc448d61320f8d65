package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
)

// connection is what the collector knows of Kafka while it is connected.
type connection struct {
	client *kgo.Client
	// events and the others are how many partitions these topics have.
	events, dead, leases, fetches int32
}

var (
	errNotConnected = errors.New("not connected to Kafka yet")
	errNoAnswer     = errors.New("no acknowledgement from Kafka in time")
)

// leaderPause is the least time between two looks for a partition's leader: requests wait for it when one moves.
const leaderPause = 250 * time.Millisecond

// connect makes the producer. A record that Kafka does not answer in time fails, even if it may have been written: what
// is sent again is told by its id, and a sender that waits for ever is worse.
func (c *Collector) connect(ctx context.Context) (*connection, error) {
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, c.cfg.Kafka...),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(c.cfg.Linger),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerBatchMaxBytes(maxRecordBytes),
		kgo.MaxBufferedRecords(c.cfg.MaxBufferedRecords),
		kgo.MaxBufferedBytes(c.cfg.MaxBufferedBytes),
		kgo.RecordDeliveryTimeout(c.cfg.DeliveryTimeout),
		kgo.AllowIdempotentProduceCancellation(),
		kgo.MetadataMinAge(leaderPause),
	)...)
	if err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	k := &connection{client: client}
	if err := k.countPartitions(ctx, c.cfg); err != nil {
		client.Close()
		return nil, err
	}
	return k, nil
}

// countPartitions asks the topics themselves: all collectors and stitchers must agree where a node lives.
func (k *connection) countPartitions(ctx context.Context, cfg Config) error {
	for topic, n := range map[string]*int32{
		pipelines.TopicEvents: &k.events, pipelines.TopicDead: &k.dead, pipelines.TopicLeases: &k.leases, pipelines.TopicFetches: &k.fetches,
	} {
		name := cfg.topic(topic)
		topics, err := kadm.NewClient(k.client).ListTopics(ctx, name)
		if err != nil {
			return fmt.Errorf("collector: list topic %s: %w", name, err)
		}
		t := topics[name]
		if t.Err != nil {
			return fmt.Errorf("collector: topic %s: %w (create it with `throughline migrate`)", name, t.Err)
		}
		if *n = int32(len(t.Partitions)); *n == 0 {
			return fmt.Errorf("collector: topic %s has no partition", name)
		}
	}
	return nil
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
