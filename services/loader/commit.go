package loader

import (
	"cmp"
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commitPlanned writes a plan down: offsets stay where they are, with the plan beside every one of them.
func (l *Loader) commitPlanned(ctx context.Context, p plan) error {
	at := map[string]map[int32]int64{}
	for _, s := range p {
		put(at, s.topic, s.partition, s.first)
	}
	if err := l.commit(ctx, at, p.String()); err != nil {
		return fmt.Errorf("loader: commit the plan: %w", err)
	}
	return l.cfg.trace("planned")
}

// commitDone moves offsets behind a plan, with nothing beside them.
func (l *Loader) commitDone(ctx context.Context, p plan) error {
	if err := l.cfg.trace("loaded"); err != nil {
		return err
	}
	at := map[string]map[int32]int64{}
	for _, s := range p {
		put(at, s.topic, s.partition, s.last+1)
	}
	if err := l.commit(ctx, at, ""); err != nil {
		return fmt.Errorf("loader: commit what was loaded: %w", err)
	}
	return l.cfg.trace("done")
}

// commitSettled moves offsets behind plans of a former life.
func (l *Loader) commitSettled(ctx context.Context) error {
	at := l.settled.take()
	if len(at) == 0 {
		return nil
	}
	if err := l.commit(ctx, at, ""); err != nil {
		return fmt.Errorf("loader: commit what was recovered: %w", err)
	}
	return l.cfg.trace("settled")
}

// commit writes all offsets in one request, which the group's coordinator appends as one batch: all of them stand, or
// none. Whatever partition it refuses fails the whole. A member that the group has put out is refused.
func (l *Loader) commit(ctx context.Context, at map[string]map[int32]int64, metadata string) error {
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for topic, partitions := range at {
		offsets[topic] = map[int32]kgo.EpochOffset{}
		for partition, offset := range partitions {
			offsets[topic][partition] = kgo.EpochOffset{Epoch: -1, Offset: offset}
		}
	}
	ctx = kgo.PreCommitFnContext(ctx, func(r *kmsg.OffsetCommitRequest) error {
		for i := range r.Topics {
			for j := range r.Topics[i].Partitions {
				r.Topics[i].Partitions[j].Metadata = &metadata
			}
		}
		return nil
	})
	var failure error
	l.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, res *kmsg.OffsetCommitResponse, err error) {
		failure = cmp.Or(err, refused(res))
	})
	return failure
}

func refused(res *kmsg.OffsetCommitResponse) error {
	if res == nil {
		return nil
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err)
			}
		}
	}
	return nil
}

func put(at map[string]map[int32]int64, topic string, partition int32, offset int64) {
	if at[topic] == nil {
		at[topic] = map[int32]int64{}
	}
	at[topic][partition] = offset
}
