package puller

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
)

// sweeper reads the fetches that are nobody's any more, as their source is not in the configuration: they go to the dead letters, from
// where they are sent again once it is.
type sweeper struct {
	owner     *owner
	partition int32
	mine      map[string]bool // keys that a fetcher takes
	spaces    map[string]*workspace.Workspace
	next      int64
	written   int64
	writtenAt time.Time
}

func newSweeper(o *owner, partition int32, set *sources.Set) *sweeper {
	s := &sweeper{owner: o, partition: partition, mine: map[string]bool{}, spaces: map[string]*workspace.Workspace{}}
	for _, i := range set.Instances {
		s.spaces[i.Workspace.Name] = i.Workspace
		if hasFetches(i) {
			s.mine[instanceID{i.Workspace.Name, i.Name}.Key()] = true
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	s.next = o.state.sweeps[partition].Next
	s.written = s.next
	return s
}

func (s *sweeper) run(ctx context.Context) error {
	client, err := s.owner.reader(s.partition, s.next)
	if err != nil {
		return err
	}
	defer client.Close()
	for ctx.Err() == nil {
		within, cancel := context.WithTimeout(ctx, pollTimeout)
		fetches := client.PollRecords(within, pollRecords)
		cancel()
		if err := pollError(ctx, fetches); err != nil {
			return err
		}
		b := newBatch()
		var bad error
		fetches.EachRecord(func(r *kgo.Record) {
			s.next = r.Offset + 1
			if bad == nil && !r.Attrs.IsControl() && !s.mine[string(r.Key)] {
				bad = s.bury(b, r)
			}
		})
		if bad != nil {
			return bad
		}
		if len(b.records) == 0 && (s.next == s.written || time.Since(s.writtenAt) < positionEvery) {
			continue
		}
		b.add(s.owner.stateRecord(stateKey(kindSweep, instanceID{}, fmt.Sprint(s.partition)), position{s.next}))
		if err := s.owner.commit(ctx, b.records); err != nil {
			return err
		}
		s.written, s.writtenAt = s.next, time.Now()
		for code, n := range b.letters {
			s.owner.p.metrics.letters.WithLabelValues("", "", code).Add(float64(n))
		}
	}
	return ctx.Err()
}

// bury makes a dead letter of a fetch of nobody: of its parcel, where the workspace is still there to open it.
func (s *sweeper) bury(b *batch, r *kgo.Record) error {
	const message = "the configuration has no such source that asks back"
	d, err := delivery.DecodeFetch(r.Value)
	if err != nil {
		return s.owner.bury(b, recordLetter("", s.owner, r, deadletter.Unreadable, err.Error()))
	}
	l := recordLetter(d.Workspace, s.owner, r, codeNobodys, message)
	l.Key, l.Source = d.Instance, &d.Source
	if w := s.spaces[d.Workspace]; w != nil {
		if parcel, err := d.Open([]byte(w.Pepper)); err == nil {
			body, err := parcel.Encode()
			if err != nil {
				return err
			}
			if err := l.Keep([]byte(w.Pepper), body, w.StoreContacts); err != nil {
				return err
			}
			l.Topic, l.Partition, l.Offset, l.Record = "", 0, 0, nil
		}
	}
	return s.owner.bury(b, l)
}
