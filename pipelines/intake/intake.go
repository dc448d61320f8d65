// Package intake makes the records by which everything comes in, whoever takes it: the collector, the puller or an import. An event,
// a dead letter and what is still to be fetched each have one place in Kafka, which is decided here alone.
//
// It promises that the same event goes to the same partition whichever way it came, with the same id, so that what comes in twice is
// a duplicate; and that of an item that means no event nothing is lost: its dead letter has the item, the reason and the version of
// the definition. It sends nothing itself; who produces the records waits for Kafka's answer before telling anybody that they are in.
package intake

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
)

// MaxRecordBytes bounds one record to Kafka: a rejected item may be as large as a request, and its dead letter is a third larger.
const MaxRecordBytes = 23 << 20

// LeaderPause is the least time between two looks for a partition's leader: what is produced waits for it when one moves.
const LeaderPause = 250 * time.Millisecond

// Producer is what every client needs that sends these records: all replicas in sync have what it was answered.
func Producer() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerBatchMaxBytes(MaxRecordBytes), kgo.MetadataMinAge(LeaderPause),
	}
}

// Topics is where records go.
type Topics struct {
	// Prefix stands before every topic.
	Prefix string
	// Events, Dead and Fetches are how many partitions these topics have.
	Events, Dead, Fetches int32
}

// Count asks the topics themselves how many partitions they have: all who write must agree where a node lives.
func Count(ctx context.Context, client *kgo.Client, prefix string) (*Topics, error) {
	t := &Topics{Prefix: prefix}
	for name, n := range map[string]*int32{pipelines.TopicEvents: &t.Events, pipelines.TopicDead: &t.Dead, pipelines.TopicFetches: &t.Fetches} {
		var err error
		if *n, err = Partitions(ctx, client, prefix+name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Partitions is how many a topic has.
func Partitions(ctx context.Context, client *kgo.Client, topic string) (int32, error) {
	topics, err := kadm.NewClient(client).ListTopics(ctx, topic)
	if err != nil {
		return 0, fmt.Errorf("list topic %s: %w", topic, err)
	}
	t := topics[topic]
	if t.Err != nil {
		return 0, fmt.Errorf("topic %s: %w (create it with `throughline migrate`)", topic, t.Err)
	}
	if len(t.Partitions) == 0 {
		return 0, fmt.Errorf("topic %s has no partition", topic)
	}
	return int32(len(t.Partitions)), nil
}

// Event is an event's record: its home decides the partition, so that all of a person's events of one home come in order.
func (t *Topics) Event(e *event.Event) *kgo.Record {
	home := pipelines.Home(e)
	return &kgo.Record{Topic: t.Prefix + pipelines.TopicEvents, Partition: pipelines.Partition(home, t.Events), Key: home[:], Value: e.Append(nil)}
}

// Letter is a dead letter's record.
func (t *Topics) Letter(l *deadletter.Letter) (*kgo.Record, error) {
	value, err := l.Encode()
	if err != nil {
		return nil, err
	}
	return keyed(t.Prefix+pipelines.TopicDead, l.Workspace, t.Dead, value), nil
}

// Fetch is the record of an item for which the vendor must be asked first.
func (t *Topics) Fetch(f *delivery.Fetch) (*kgo.Record, error) {
	value, err := f.Encode()
	if err != nil {
		return nil, err
	}
	return keyed(t.Prefix+pipelines.TopicFetches, f.Key(), t.Fetches, value), nil
}

func keyed(topic, key string, partitions int32, value []byte) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: pipelines.KeyPartition(key, partitions), Key: []byte(key), Value: value}
}
