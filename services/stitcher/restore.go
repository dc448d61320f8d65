package stitcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// barrierKey is the key of a record that marks, in a changelog, that all before it was there when it was written. It
// stands under one key, so that compaction keeps at most one.
const barrierKey = "barrier"

const (
	// progressEvery is how often a long restore says how far it is.
	progressEvery = 2 * time.Second
	// restoreBatchBytes is how much of a changelog becomes the store's own at once.
	restoreBatchBytes = 4 << 20
	// stateMaxAge is how old what is on disk may be: what was taken back is in the changelog for a day (delete.retention.ms),
	// and beyond that its absence says nothing. Older state is read anew from the start.
	stateMaxAge = 12 * time.Hour
)

// restore brings the store up to the end of the partitions' changelogs, from where it stands. Our offsets are stable already,
// so every transaction that may still commit has; a transaction that a dead process left open holds back what committed readers
// see, the barrier with it, until the broker aborts it. So when the barrier is seen, all there is has been seen.
func (s *Stitcher) restore(ctx context.Context, ids []int32, since map[int32]uint64) (int, error) {
	s.metrics.restoring.Set(float64(len(ids)))
	defer s.metrics.restoring.Set(0)
	defer s.metrics.remaining.Set(0)
	r := &restoring{s: s, topic: s.cfg.topic(pipelines.TopicState), topicID: s.stateID(), began: time.Now(), next: map[int32]int64{}, consumed: map[int32]state.Read{}, told: time.Now()}
	var err error
	if r.barrier, err = s.writeBarriers(ctx, r.topic, ids); err != nil {
		return 0, err
	}
	if err := r.place(ctx, ids); err != nil {
		return 0, err
	}
	if err := r.read(ctx); err != nil {
		return r.records, err
	}
	s.metrics.restored.Add(float64(r.records))
	absent := map[string]bool{}
	for _, id := range ids {
		p, err := s.hold(id, since[id], absent)
		if err != nil {
			return r.records, err
		}
		s.partitions[id] = p
	}
	if len(absent) > 0 {
		s.log.Warn("there is state of workspaces that are not in the configuration: what they have stands as it is until they are back",
			zap.Strings("workspaces", slices.Sorted(maps.Keys(absent))))
	}
	return r.records, nil
}

// hold makes a partition of what the store has of it now. Workspaces that it has and we do not are added to absent.
func (s *Stitcher) hold(id int32, since uint64, absent map[string]bool) (_ *held, err error) {
	p := NewPartition(id, s.of, s.rules, s.store.Partition(id), s.cfg.MaxPersonNodes)
	defer func() {
		if err != nil {
			err = errors.Join(err, p.store.Refresh())
		}
	}()
	p.At(time.Now().UnixMilli())
	gone, err := p.Rebuild(s.read)
	if err != nil {
		return nil, err
	}
	for _, w := range gone {
		absent[w] = true
	}
	changes, err := p.Changes(&state.Arena{})
	if err != nil {
		return nil, err
	}
	rebuilt := len(p.Output().Postings)+len(p.Output().Messages) > 0 || len(changes) > 0
	at, _, err := s.store.Position(id)
	if err != nil {
		return nil, err
	}
	return &held{Partition: p, since: since, pending: rebuilt, next: at.Next, read: at.Read}, nil
}

// restoring is one restore.
type restoring struct {
	s       *Stitcher
	topic   string
	topicID string
	barrier string
	began   time.Time
	next    map[int32]int64 // of the partitions that are not at their end yet
	// consumed is what was said last of how far a partition's inputs are worked off.
	consumed map[int32]state.Read
	total    int64
	records  int
	told     time.Time
}

// place finds where to begin: where the store stands, or at the start where what it holds is of no use.
func (r *restoring) place(ctx context.Context, ids []int32) error {
	admin := kadm.NewClient(r.s.session.Client())
	starts, err := admin.ListStartOffsets(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("start of %s: %w", r.topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, r.topic)
	if err != nil {
		return fmt.Errorf("end of %s: %w", r.topic, err)
	}
	for _, id := range ids {
		start, ok := starts.Lookup(r.topic, id)
		end, ok2 := ends.Lookup(r.topic, id)
		if !ok || !ok2 || start.Err != nil || end.Err != nil {
			return fmt.Errorf("offsets of %s/%d: %w", r.topic, id, errorOf(start.Err, end.Err))
		}
		at, found, err := r.s.store.Position(id)
		if err != nil {
			return err
		}
		if !found || at.Topic != r.topicID || at.Next < start.Offset || at.Next > end.Offset || time.Since(at.At) > stateMaxAge {
			if found {
				r.s.log.Info("what the disk holds of a partition is of no use any more: it is read anew",
					zap.Int32("partition", id), zap.Int64("offset", at.Next), zap.Time("of", at.At))
			}
			if err := r.s.store.Clear(id); err != nil {
				return err
			}
			at.Next, at.Read = start.Offset, state.Read{}
		}
		r.consumed[id] = at.Read
		r.next[id] = at.Next
		r.total += end.Offset - at.Next
	}
	r.s.metrics.remaining.Set(float64(r.total))
	return nil
}

// read takes records until every partition's barrier has come.
func (r *restoring) read(ctx context.Context) error {
	from := map[int32]kgo.Offset{}
	for id, next := range r.next {
		from[id] = kgo.NewOffset().At(next)
	}
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, r.s.cfg.Kafka...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.topic: from}), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	if err != nil {
		return err
	}
	defer client.Close()
	for len(r.next) > 0 {
		poll, cancel := context.WithTimeout(ctx, progressEvery)
		fetches := client.PollFetches(poll)
		cancel()
		if err := ctx.Err(); err != nil {
			return err
		}
		var bad error
		fetches.EachError(func(t string, p int32, err error) {
			if !errors.Is(err, context.DeadlineExceeded) { // nothing came in that time
				bad = fmt.Errorf("fetch %s/%d: %w", t, p, err)
			}
		})
		fetches.EachPartition(func(f kgo.FetchTopicPartition) {
			if bad == nil {
				bad = r.take(f)
			}
		})
		if bad != nil {
			return bad
		}
		r.tell()
	}
	return nil
}

// take makes a partition's records the store's own, with where it stands then.
func (r *restoring) take(f kgo.FetchTopicPartition) error {
	batch := r.s.store.NewBatch(0)
	defer func() { _ = batch.Drop() }() // what was applied is a new one by then
	for _, rec := range f.Records {
		if _, open := r.next[rec.Partition]; !open {
			return nil
		}
		done := false
		switch string(rec.Key) {
		case barrierKey:
			done = string(rec.Value) == r.barrier
		case consumedKey:
			var read state.Read // not into the last one, of which it would leave what it does not say
			if err := json.Unmarshal(rec.Value, &read); err != nil {
				return fmt.Errorf("how far the inputs are worked off: %w", err)
			}
			r.consumed[rec.Partition] = read
		default:
			r.records++
			if err := batch.Add(rec.Partition, state.Record{Key: rec.Key, Value: rec.Value}); err != nil {
				return err
			}
		}
		// Until the end is reached, what is there is as old as the beginning of this restore.
		at := state.Position{Topic: r.topicID, Next: rec.Offset + 1, At: r.began, Read: r.consumed[rec.Partition]}
		r.next[rec.Partition] = at.Next
		if done {
			at.At = time.Now()
		}
		if done || rec == f.Records[len(f.Records)-1] || batch.Len() > restoreBatchBytes {
			if err := batch.Position(rec.Partition, at); err != nil {
				return err
			}
			if err := batch.Apply(); err != nil {
				return err
			}
			batch = r.s.store.NewBatch(0)
		}
		if done {
			delete(r.next, rec.Partition)
		}
	}
	return nil
}

// tell says how far a long restore is.
func (r *restoring) tell() {
	if time.Since(r.told) < progressEvery {
		return
	}
	r.told = time.Now()
	r.s.metrics.remaining.Set(float64(max(0, r.total-int64(r.records))))
	r.s.log.Info("restoring", zap.Int("records", r.records), zap.Int64("of_at_most", r.total), zap.Int("partitions_left", len(r.next)))
}

func errorOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("the broker does not tell them")
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
