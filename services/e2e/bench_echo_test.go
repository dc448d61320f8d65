package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/internal/kafka"
	"github.com/throughline-io/throughline/services/process"
)

// written is what a topic was given: how many records, and the first of them, which stand for all.
type written struct {
	topic   string
	count   int64
	samples []*kgo.Record
}

// maxSamples is how many records of a topic are kept.
const maxSamples = 2_000

// wrote reads what the stitcher has written under a prefix.
func (x *bench) wrote(b *testing.B, prefix string) (all []*written) {
	ctx := context.Background()
	for _, name := range []string{pipelines.TopicState, pipelines.TopicFacts, pipelines.TopicMessages} {
		w := &written{topic: name}
		if _, err := kafka.ReadAll(ctx, x.engines.Connect(), prefix+name, func(r *kgo.Record) error {
			w.count++
			if len(w.samples) < maxSamples {
				w.samples = append(w.samples, r)
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		all = append(all, w)
	}
	return all
}

// echo is the stitcher's ceiling: a process that reads the same events and the same messages and writes as many records of the
// same size to as many topics, in transactions with its offsets, and does nothing else. It returns events a second.
func (x *bench) echo(b *testing.B, prefix string, events float64) float64 {
	ctx := context.Background()
	out := x.wrote(b, prefix)
	to := prefix + "echo."
	if err := process.EnsureTopics(ctx, x.engines.Connect(), to, benchPartitions); err != nil {
		b.Fatal(err)
	}
	inputs := events + float64(out[2].count)
	session, err := kgo.NewGroupTransactSession(append(x.engines.Connect(), kgo.TransactionalID("echo-"+prefix), kgo.ConsumerGroup(to+"group"),
		kgo.ConsumeTopics(prefix+pipelines.TopicEvents, prefix+pipelines.TopicMessages), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MaxBufferedRecords(50_000), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.MetadataMinAge(100*time.Millisecond), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.FetchMaxPartitionBytes(256<<10))...)
	if err != nil {
		b.Fatal(err)
	}
	defer session.Close()
	began, read := time.Time{}, 0.0
	wrote := make([]int64, len(out))
	for read < inputs {
		fetches := session.PollRecords(ctx, 10_000)
		if began.IsZero() {
			began = time.Now() // joining the group is no part of a ceiling
		}
		if err := session.Begin(); err != nil {
			b.Fatal(err)
		}
		read += float64(fetches.NumRecords())
		for i, w := range out {
			for due := int64(read / inputs * float64(w.count)); wrote[i] < due; wrote[i]++ {
				r := w.samples[wrote[i]%int64(len(w.samples))]
				session.Produce(ctx, &kgo.Record{Topic: to + w.topic, Partition: int32(wrote[i] % benchPartitions), Key: r.Key, Value: r.Value}, nil)
			}
		}
		if ok, err := session.End(ctx, kgo.TryCommit); err != nil || !ok {
			b.Fatalf("echo: %v %v", ok, err)
		}
	}
	return events / time.Since(began).Seconds()
}
