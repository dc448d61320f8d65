package puller

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
)

// fetcher asks back for what an instance's hooks named. It reads the partition of the fetches for itself and passes over what is
// others', so that no vendor holds up another's; what it has done, and where it is, is one transaction.
//
// A fetch that a vendor does not answer is moved aside and tried again later; a vendor that answers none is left alone for a while, and
// the others of its fetches stay where they are.
type fetcher struct {
	*instance
	partition int32
	askers    map[string]asking
	queue     []*kgo.Record // read and not done
	next      int64         // behind the queue's last, and what is not ours
	written   int64         // what is next in the state
	writtenAt time.Time
	waiting   map[int64]*waiting
	away      int // how often in a row the vendor did not answer
	awayUntil time.Time
}

func hasFetches(i *sources.Instance) bool {
	for n := range i.Source.Entries {
		if i.Source.Entries[n].Fetch != nil {
			return true
		}
	}
	return false
}

func newFetcher(in *instance) *fetcher {
	f := &fetcher{instance: in, partition: pipelines.KeyPartition(in.id.Key(), in.owner.p.fetches), askers: map[string]asking{}}
	in.owner.mu.Lock()
	defer in.owner.mu.Unlock()
	f.next = in.owner.state.fetches[in.id].Next
	f.written = f.next
	f.waiting = maps.Clone(within(in.owner.state.waiting, in.id))
	for i := range in.Source.Entries {
		if e := &in.Source.Entries[i]; e.Fetch != nil {
			f.askers[e.Name] = asking{entry: e, asker: in.vendor.Asker(&e.Fetch.Remote, wait)}
		}
	}
	return f
}

// run works until ctx is done. An error is Kafka's.
func (f *fetcher) run(ctx context.Context) error {
	client, err := f.owner.reader(f.partition, f.next)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := f.lost(ctx, client); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if len(f.queue) == 0 {
			if err := f.poll(ctx, client); err != nil {
				return err
			}
		}
		if err := f.volley(ctx); err != nil {
			return err
		}
		if err := f.expire(ctx); err != nil {
			return err
		}
		if err := f.rest(ctx); err != nil {
			return err
		}
		f.owner.p.metrics.waiting.WithLabelValues(f.id.Workspace, f.id.Instance).Set(float64(len(f.waiting)))
	}
	return ctx.Err()
}

// poll reads what has come. It returns early where something is due.
func (f *fetcher) poll(ctx context.Context, client *kgo.Client) error {
	within, cancel := context.WithTimeout(ctx, min(pollTimeout, max(time.Until(f.due()), time.Millisecond)))
	defer cancel()
	fetches := client.PollRecords(within, pollRecords)
	if err := pollError(ctx, fetches); err != nil {
		return err
	}
	fetches.EachRecord(func(r *kgo.Record) {
		f.next = r.Offset + 1
		if !r.Attrs.IsControl() && string(r.Key) == f.id.Key() {
			f.queue = append(f.queue, r)
		}
	})
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		f.owner.p.metrics.lag.WithLabelValues(f.id.Workspace, f.id.Instance).Set(float64(max(0, p.HighWatermark-f.next)))
	})
	return nil
}

// due is when the next of those that wait is tried again.
func (f *fetcher) due() time.Time {
	at := time.Now().Add(pollTimeout)
	for _, w := range f.waiting {
		at = earlier(at, w.Due)
	}
	return later(at, f.awayUntil)
}

// rest waits while the vendor is left alone, and writes down where the reader is where nothing of ours came.
func (f *fetcher) rest(ctx context.Context) error {
	if len(f.queue) == 0 && f.next > f.written && time.Since(f.writtenAt) >= positionEvery {
		if err := f.commit(ctx, newBatch(), f.next); err != nil {
			return err
		}
	}
	if len(f.queue) == 0 {
		return nil // polling waits
	}
	pause := max(time.Until(f.awayUntil), time.Until(f.ready(f.queue[0])))
	if pause > 0 {
		return wait(ctx, min(pause, max(time.Until(f.due()), time.Millisecond)))
	}
	return nil
}

// commit writes down what was done, and that everything before next is done.
func (f *fetcher) commit(ctx context.Context, b *batch, next int64, state ...*kgo.Record) error {
	state = append(state, f.owner.stateRecord(stateKey(kindFetch, f.id), position{next}))
	if err := f.owner.commit(ctx, append(b.records, state...)); err != nil {
		return err
	}
	f.written, f.writtenAt = next, time.Now()
	f.count(b)
	return nil
}

// dueNow are those that wait no longer, the oldest first.
func (f *fetcher) dueNow(most int) (out []*waiting) {
	now := time.Now()
	for _, offset := range slices.Sorted(maps.Keys(f.waiting)) {
		if w := f.waiting[offset]; !w.Due.After(now) && len(out) < most {
			out = append(out, w)
		}
	}
	return out
}

const (
	pollTimeout = time.Second
	pollRecords = 100
)

// reader reads a partition of the fetches from an offset on.
func (o *owner) reader(partition int32, next int64) (*kgo.Client, error) {
	from := kgo.NewOffset().AtStart()
	if next > 0 {
		from = kgo.NewOffset().At(next)
	}
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, o.p.cfg.Kafka...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{o.p.cfg.topic(pipelines.TopicFetches): {partition: from}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxPartitionBytes(fetchBytes), kgo.FetchMaxWait(fetchWait), kgo.MaxConcurrentFetches(1),
	)...)
	if err != nil {
		return nil, fmt.Errorf("puller: %w", err)
	}
	return client, nil
}

const (
	fetchBytes = 1 << 20
	fetchWait  = 5 * time.Second
)

// pollError is what polling does not get over by itself.
func pollError(ctx context.Context, fetches kgo.Fetches) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var all []error
	fetches.EachError(func(topic string, partition int32, err error) {
		if !errors.Is(err, context.DeadlineExceeded) { // nothing came in that time
			all = append(all, fmt.Errorf("puller: fetch %s/%d: %w", topic, partition, err))
		}
	})
	return errors.Join(all...)
}

// lost says how many fetches Kafka has deleted before they were read: only a puller that stood still for a month sees it.
func (f *fetcher) lost(ctx context.Context, client *kgo.Client) error {
	starts, err := kadm.NewClient(client).ListStartOffsets(ctx, f.owner.p.cfg.topic(pipelines.TopicFetches))
	if err != nil {
		return fmt.Errorf("puller: start of the fetches: %w", err)
	}
	start, ok := starts.Lookup(f.owner.p.cfg.topic(pipelines.TopicFetches), f.partition)
	if ok && f.written > 0 && start.Offset > f.written {
		f.log.Error("fetches were deleted by Kafka before they were read", zap.Int64("records", start.Offset-f.written))
	}
	return nil
}
