package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
)

// Progress is how far the import of a content is: a record of pipelines.TopicImports. Its Items are settled: they are in Kafka.
type Progress struct {
	// Name and Bytes are for people; the content's hash is in the key.
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	// Received is when it was first begun: $received of the mapping, so that the same file means the same however often it is read.
	Received time.Time `json:"received"`
	// By is the fingerprint of what decides the meaning of an item.
	By string `json:"by"`
	Tally
	// Done: all of it is settled.
	Done bool      `json:"done"`
	At   time.Time `json:"at"`
}

// progressLog is what the topic says of one way.
type progressLog struct {
	topic      string
	partitions int32
	found      map[string]Progress
}

func (l *progressLog) of(key string) (Progress, bool) {
	p, ok := l.found[key]
	if p.Events == nil {
		p.Events = map[string]int64{}
	}
	if p.Faults == nil {
		p.Faults = map[string]int64{}
	}
	return p, ok
}

// readProgress reads the topic to its end.
func readProgress(ctx context.Context, client *kgo.Client, cfg Config) (*progressLog, error) {
	l := &progressLog{topic: cfg.TopicPrefix + pipelines.TopicImports, found: map[string]Progress{}}
	admin := kadm.NewClient(client)
	ends, err := admin.ListEndOffsets(ctx, l.topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w (create it with `throughline migrate`)", l.topic, err)
	}
	left := map[int32]int64{}
	from := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		l.partitions++
		if o.Offset > 0 {
			left[o.Partition], from[o.Partition] = o.Offset, kgo.NewOffset().AtStart()
		}
	})
	if len(left) == 0 {
		return l, nil
	}
	reader, err := kgo.NewClient(append(append([]kgo.Opt{}, cfg.Kafka...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.topic: from}))...)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	for len(left) > 0 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("topic %s: %w", l.topic, err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				l.take(r)
				if r.Offset+1 >= left[p.Partition] {
					delete(left, p.Partition)
				}
			}
		})
	}
	return l, nil
}

// take reads a record. One that cannot be read is as if it were not there: the file is then imported from its beginning.
func (l *progressLog) take(r *kgo.Record) {
	var p Progress
	if json.Unmarshal(r.Value, &p) == nil {
		l.found[string(r.Key)] = p
	}
}

// save writes down how far a file is, and returns once Kafka has it.
func (r *run) save(ctx context.Context) error {
	p := r.file.Progress
	p.Name, p.Bytes, p.At = r.file.Name, r.src.size, r.now().UTC()
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	partition := int32(xxhash.Sum64String(r.key) % uint64(r.log.partitions))
	record := &kgo.Record{Topic: r.log.topic, Partition: partition, Key: []byte(r.key), Value: value}
	if err := r.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return fmt.Errorf("import: how far %s is could not be written down: %w", r.file.Name, err)
	}
	p.Tally = p.clone()
	r.log.found[r.key] = p
	return nil
}
