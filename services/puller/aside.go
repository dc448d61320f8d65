package puller

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/services/puller/remote"
)

// settle commits what came of a volley: events, dead letters, what is moved aside, and how far the queue is.
func (f *fetcher) settle(ctx context.Context, tasks []*task) error {
	b := newBatch()
	var state []*kgo.Record
	outcomes := map[string]int{}
	failed, taken, next := 0, 0, f.next
	aside, gone := map[int64]*waiting{}, []int64{}
	var last *remote.Failure
	for _, t := range tasks {
		var offset int64
		if t.waited != nil {
			offset = t.waited.Offset
		} else {
			offset, taken = t.record.Offset, taken+1
		}
		outcome := "done"
		if t.failure != nil {
			failed, last = failed+1, t.failure
			if w, why := f.aside(t, offset, len(aside)); w != nil {
				outcome, aside[offset] = "later", w
				state = append(state, f.owner.stateRecord(f.laterKey(offset), w))
			} else if err := f.bury(t, string(t.failure.Reason), "", why); err != nil {
				return err
			}
		}
		if len(t.batch.letters) > 0 {
			outcome = "dead"
		}
		outcomes[outcome]++
		if outcome != "later" && t.waited != nil {
			gone = append(gone, offset)
			state = append(state, f.owner.record(f.laterKey(offset), nil))
		}
		b.join(t.batch)
	}
	if rest := f.queue[taken:]; len(rest) > 0 {
		next = rest[0].Offset
	}
	if err := f.commit(ctx, b, next, state...); err != nil {
		return err
	}
	f.queue = f.queue[taken:]
	for offset, w := range aside {
		f.waiting[offset] = w
	}
	for _, offset := range gone {
		delete(f.waiting, offset)
	}
	for outcome, n := range outcomes {
		f.owner.p.metrics.fetches.WithLabelValues(f.id.Workspace, f.id.Instance, outcome).Add(float64(n))
	}
	f.judge(failed == len(tasks), last)
	return nil
}

// aside is a fetch that is tried again later; nil, and why, where it has been tried long enough.
func (f *fetcher) aside(t *task, offset int64, more int) (*waiting, string) {
	w := &waiting{Offset: offset, Attempts: 1, Reason: string(t.failure.Reason), Fetch: t.value}
	if t.waited != nil {
		w.Attempts = t.waited.Attempts + 1
	}
	now := time.Now()
	switch {
	case now.Sub(t.received) > maxFetchAge:
		return nil, fmt.Sprintf("given up after %s and %d rounds: %s", maxFetchAge, w.Attempts, t.failure.Err)
	case t.waited == nil && len(f.waiting)+more >= maxWaiting:
		return nil, fmt.Sprintf("%d wait to be tried again already: %s", maxWaiting, t.failure.Err)
	}
	w.Due = now.Add(max(t.failure.After, awayPause(w.Attempts))).UTC().Truncate(time.Millisecond)
	return w, ""
}

// expire buries those of the queue that are too old to be tried any more, while the vendor does not answer: asking for each would take
// as long again.
func (f *fetcher) expire(ctx context.Context) error {
	if f.away == 0 {
		return nil
	}
	var tasks []*task
	for _, r := range f.queue {
		d, err := delivery.DecodeFetch(r.Value)
		if err != nil || time.Since(receivedAt(d, r.Timestamp)) <= maxFetchAge {
			break
		}
		parcel, err := d.Open(f.pepper)
		if err != nil {
			break
		}
		t := &task{value: r.Value, record: r, fetch: d, parcel: parcel, received: receivedAt(d, r.Timestamp), batch: newBatch()}
		if err := f.bury(t, string(remote.Away), "", fmt.Sprintf("the vendor has not answered for %s", maxFetchAge)); err != nil {
			return err
		}
		tasks = append(tasks, t)
	}
	if len(tasks) == 0 {
		return nil
	}
	away, until := f.away, f.awayUntil
	err := f.settle(ctx, tasks)
	f.away, f.awayUntil = away, until // nobody was asked
	return err
}

// judge leaves a vendor alone that answered nothing, for longer each time.
func (f *fetcher) judge(nothing bool, last *remote.Failure) {
	if !nothing {
		f.away, f.awayUntil = 0, time.Time{}
		return
	}
	f.away++
	pause := max(last.After, awayPause(f.away))
	f.awayUntil = time.Now().Add(pause)
	f.log.Warn("the vendor does not answer: it is left alone for a while", zap.String("reason", string(last.Reason)), zap.Error(last.Err), zap.Duration("for", pause), zap.Int("waiting", len(f.waiting)))
}

func awayPause(attempts int) time.Duration {
	if attempts > 10 {
		return lastAway
	}
	return min(lastAway, firstAway<<(attempts-1))
}

func (f *fetcher) laterKey(offset int64) []byte { return stateKey(kindLater, f.id, offsetName(offset)) }

// fetches is the topic's name.
func (o *owner) fetches() string { return o.p.cfg.topic(pipelines.TopicFetches) }
