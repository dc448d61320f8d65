package loader

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/schemas/event"
)

// standing is what the group has committed of one partition.
type standing struct {
	offset int64 // -1: nothing yet
	plan   string
	behind bool // the group says less than what is loaded
}

// verdict is what to do about a plan that is found beside an offset.
type verdict int

const (
	discard verdict = iota // it was never committed whole, so it was never inserted
	over                   // it was inserted and some of its partitions have gone on
	repeat                 // it may have been inserted: insert it again, under its token
)

// judge decides about a plan by where its partitions stand. All of a plan is committed in one request before it is
// inserted, so a partition that still stands at its beginning without the plan proves that nothing was inserted.
func judge(p plan, at func(topic string, partition int32) standing) verdict {
	text := p.String()
	for _, s := range p {
		st := at(s.topic, s.partition)
		switch {
		case st.offset > s.last:
			return over
		case st.plan != text:
			return discard
		}
	}
	return repeat
}

// recover finishes what was planned for partitions that have become ours, and returns where to read on.
func (l *Loader) recover(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	<-l.made
	at, err := l.standings(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]verdict{}
	for topic, partitions := range offsets {
		for partition := range partitions {
			st := at(topic, partition)
			if st.behind {
				l.tellBehind(topic, partition, st)
				partitions[partition] = kgo.NewOffset().At(st.offset)
				l.settled.put(topic, partition, st.offset)
			}
			p, err := parsePlan(st.plan)
			if err != nil {
				return nil, fmt.Errorf("loader: %s/%d: %w", topic, partition, err)
			}
			if p == nil {
				continue
			}
			v, ok := seen[st.plan]
			if !ok {
				v = judge(p, at)
				if v == repeat {
					if err := l.repeat(ctx, p); err != nil {
						return nil, err
					}
				}
				seen[st.plan] = v
			}
			if v == discard {
				continue
			}
			for _, s := range p {
				if s.topic == topic && s.partition == partition {
					partitions[partition] = kgo.NewOffset().At(s.last + 1)
					l.settled.put(topic, partition, s.last+1)
				}
			}
		}
	}
	return offsets, nil
}

// repeat reads a plan's records again, whoever has their partitions now, and inserts them.
func (l *Loader) repeat(ctx context.Context, p plan) error {
	l.log.Info("finishing a batch that was planned before", zap.Stringer("plan", p))
	items, err := l.read(ctx, p)
	if err != nil {
		return fmt.Errorf("loader: read planned records again: %w", err)
	}
	l.metrics.replays.Inc()
	return l.load(ctx, p, nil, items, newBatch())
}

func (l *Loader) read(ctx context.Context, p plan) ([]item, error) {
	from := map[string]map[int32]kgo.Offset{}
	left := map[string]map[int32]int64{}
	for _, s := range p {
		if from[s.topic] == nil {
			from[s.topic], left[s.topic] = map[int32]kgo.Offset{}, map[int32]int64{}
		}
		from[s.topic][s.partition], left[s.topic][s.partition] = kgo.NewOffset().At(s.first), s.last
	}
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, l.cfg.Kafka...), kgo.ConsumePartitions(from),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NoResetOffset()))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var items []item
	var words event.Words // not those of the batch that may be read meanwhile
	for open := len(p); open > 0; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return nil, err
		}
		var failure error
		fetches.EachError(func(topic string, partition int32, err error) {
			failure = fmt.Errorf("%s/%d: %w", topic, partition, err)
		})
		if failure != nil {
			return nil, failure
		}
		fetches.EachRecord(func(r *kgo.Record) {
			last, ok := left[r.Topic][r.Partition]
			if !ok || r.Offset > last {
				return
			}
			items = append(items, l.decode(r, &words))
			if r.Offset == last {
				delete(left[r.Topic], r.Partition)
				open--
			}
		})
	}
	return items, nil
}
