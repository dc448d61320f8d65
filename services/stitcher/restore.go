package stitcher

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// barrierKey is the key of a record that marks, in a changelog, that all before it was there when it was written. It
// stands under one key, so that compaction keeps at most one.
const barrierKey = "barrier"

// progressEvery is how often a long restore says how far it is.
const progressEvery = 2 * time.Second

// restore reads the changelogs of partitions up to now and makes their state. Our offsets are stable already, so every
// transaction that may still commit has; a transaction that a dead process left open holds back what committed readers see,
// the barrier with it, until the broker aborts it. So when the barrier is seen, all there is has been seen.
func (s *Stitcher) restore(ctx context.Context, ids []int32, since map[int32]uint64) (int, error) {
	s.metrics.restoring.Set(float64(len(ids)))
	defer s.metrics.restoring.Set(0)
	topic := s.cfg.topic(pipelines.TopicState)
	barrier, err := s.writeBarriers(ctx, topic, ids)
	if err != nil {
		return 0, err
	}
	from := map[int32]kgo.Offset{}
	for _, id := range ids {
		from[id] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, s.cfg.Kafka...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	restorers := map[int32]*state.Restorer{}
	open := map[int32]bool{}
	for _, id := range ids {
		restorers[id], open[id] = state.NewRestorer(), true
	}
	records, told := 0, time.Now()
	for len(open) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return records, err
		}
		var bad error
		fetches.EachError(func(t string, p int32, err error) { bad = fmt.Errorf("fetch %s/%d: %w", t, p, err) })
		fetches.EachRecord(func(r *kgo.Record) {
			switch {
			case bad != nil || !open[r.Partition]:
			case string(r.Key) != barrierKey:
				records++
				bad = restorers[r.Partition].Add(r.Key, r.Value)
			case string(r.Value) == barrier:
				delete(open, r.Partition)
			}
		})
		if bad != nil {
			return records, bad
		}
		if time.Since(told) > progressEvery {
			told = time.Now()
			s.log.Info("restoring", zap.Int("records", records), zap.Int("partitions_left", len(open)))
		}
	}
	s.metrics.restored.Add(float64(records))
	for _, id := range ids {
		p := NewPartition(id, s.of, s.rules)
		p.At(time.Now().UnixMilli())
		if err := p.Restore(restorers[id], s.read); err != nil {
			return records, err
		}
		rebuilt := len(p.Output().Postings)+len(p.Output().Messages) > 0 || len(p.Changes()) > 0
		s.partitions[id] = &held{Partition: p, since: since[id], pending: rebuilt}
	}
	return records, nil
}

// writeBarriers writes a barrier to each changelog, outside of any transaction.
func (s *Stitcher) writeBarriers(ctx context.Context, topic string, ids []int32) (string, error) {
	barrier := uuid.NewString()
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, s.cfg.Kafka...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		return "", err
	}
	defer client.Close()
	var records []*kgo.Record
	for _, id := range ids {
		records = append(records, &kgo.Record{Topic: topic, Partition: id, Key: []byte(barrierKey), Value: []byte(barrier)})
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return "", fmt.Errorf("write barriers: %w", err)
	}
	return barrier, nil
}
