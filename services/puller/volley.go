package puller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/services/puller/remote"
)

// asking is how an entry's fetches are asked.
type asking struct {
	entry *sources.Entry
	asker *remote.Asker
}

// task is one fetch in hand: of the queue, or one that waited.
type task struct {
	value    []byte
	record   *kgo.Record // nil of one that waited
	waited   *waiting
	fetch    *delivery.Fetch
	parcel   *delivery.Parcel
	received time.Time
	batch    *batch
	failure  *remote.Failure // it may pass: to be tried again
}

// volley asks for a few fetches side by side and commits what came of them.
func (f *fetcher) volley(ctx context.Context) error {
	if time.Now().Before(f.awayUntil) {
		return nil
	}
	tasks := f.pick()
	if len(tasks) == 0 {
		return nil
	}
	g, asking := errgroup.WithContext(ctx)
	for _, t := range tasks {
		g.Go(func() error { return f.do(asking, t) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return f.settle(ctx, tasks)
}

// pick takes what is due: those that waited first, few enough that new ones are not held up.
func (f *fetcher) pick() (tasks []*task) {
	most := fetchesAtOnce
	if f.away > 0 {
		most = 1 // to see whether the vendor is back
	}
	for _, w := range f.dueNow(max(1, most/2)) {
		tasks = append(tasks, &task{value: w.Fetch, waited: w, batch: newBatch()})
	}
	now := time.Now()
	for _, r := range f.queue {
		if len(tasks) >= most || f.ready(r).After(now) {
			break
		}
		tasks = append(tasks, &task{value: r.Value, record: r, batch: newBatch()})
	}
	return tasks
}

// ready is when a fetch of the queue may be asked for: a definition may say that the vendor's API lags behind its hooks.
func (f *fetcher) ready(r *kgo.Record) time.Time {
	d, err := delivery.DecodeFetch(r.Value)
	if err != nil {
		return time.Time{}
	}
	a, ok := f.askers[d.Entry]
	if !ok || a.entry.Fetch.Delay == 0 {
		return time.Time{}
	}
	return receivedAt(d, r.Timestamp).Add(a.entry.Fetch.Delay)
}

func receivedAt(d *delivery.Fetch, otherwise time.Time) time.Time {
	at, err := time.Parse(time.RFC3339Nano, d.ReceivedAt)
	if err != nil {
		return otherwise
	}
	return at
}

// do asks for one and maps it. What is wrong with it is in the task; an error is Kafka's, or that ctx is done.
func (f *fetcher) do(ctx context.Context, t *task) error {
	var err error
	if t.fetch, err = delivery.DecodeFetch(t.value); err != nil {
		return f.buryRecord(t, deadletter.Unreadable, err)
	}
	t.received = receivedAt(t.fetch, time.Now())
	if t.record != nil {
		t.received = receivedAt(t.fetch, t.record.Timestamp)
	}
	if t.parcel, err = t.fetch.Open(f.pepper); err != nil {
		return f.buryRecord(t, deadletter.Unreadable, err)
	}
	a, ok := f.askers[t.fetch.Entry]
	if !ok {
		return f.bury(t, codeNobodys, "", fmt.Sprintf("%s has no entry %q that asks back", f.Source.Name, t.fetch.Entry))
	}
	err = f.ask(ctx, a, t)
	if err == nil || ctx.Err() != nil || errors.Is(err, errOwner) {
		return errors.Join(ctx.Err(), err)
	}
	t.batch = newBatch()
	failure := remote.AsFailure(err)
	if failure.Passing || failure.Reason == remote.Unauthorized { // credentials are mended by people: none of it is to be lost by then
		t.failure = failure
		return nil
	}
	return f.bury(t, string(failure.Reason), "", failure.Err.Error())
}

func (f *fetcher) ask(ctx context.Context, a asking, t *task) error {
	v := f.Variables(a.entry, t.received)
	item := items.Item{}
	for _, part := range []struct {
		raw []byte
		to  *any
	}{{t.parcel.Item, &item.Value}, {t.parcel.Request, &v.Request}, {t.parcel.Envelope, &v.Envelope}} {
		value, err := delivery.Value(part.raw)
		if err != nil {
			return &remote.Failure{Reason: remote.Unreadable, Err: err}
		}
		*part.to = value
	}
	if place, err := delivery.Value(t.parcel.Place); err == nil {
		item.Place = placeOf(place)
	}
	responses := map[string]any{}
	v.Responses = responses
	for i := range a.entry.Fetch.Requests {
		r := &a.entry.Fetch.Requests[i]
		answer, err := a.asker.Response(ctx, r, item.Value, v)
		if err != nil {
			return err
		}
		responses[r.Name] = answer
	}
	return f.item(ctx, t.batch, a.entry, item, v, func(code, field, message string) error {
		t.batch = newBatch()
		return f.bury(t, code, field, message)
	})
}

// placeOf is a parcel's place: what a mapping sees as $place.
func placeOf(v any) (p items.Place) {
	o, _ := v.(map[string]any)
	p.File, _ = o["file"].(string)
	for name, to := range map[string]*int{"line": &p.Line, "index": &p.Index} {
		if n, ok := o[name].(interface{ Int64() (int64, error) }); ok {
			if whole, err := n.Int64(); err == nil {
				*to = int(whole)
			}
		}
	}
	return p
}

// bury makes a dead letter of a fetch, to be sent again once what was wrong is mended.
func (f *fetcher) bury(t *task, code, field, message string) error {
	index := 0
	if place, err := delivery.Value(t.parcel.Place); err == nil {
		index = placeOf(place).Index
	}
	return f.letter(t.batch, t.fetch.Entry, t.received, t.parcel, index, code, field, message)
}

// buryRecord makes one of a record that nobody can read.
func (f *fetcher) buryRecord(t *task, code string, err error) error {
	if t.record == nil {
		t.record = &kgo.Record{Offset: t.waited.Offset, Partition: f.partition, Timestamp: time.Now(), Value: t.value}
	}
	return f.owner.bury(t.batch, recordLetter(f.id.Workspace, f.owner, t.record, code, err.Error()))
}

func recordLetter(workspace string, o *owner, r *kgo.Record, code, message string) *deadletter.Letter {
	return &deadletter.Letter{
		Workspace: workspace, Code: code, Message: message, ReceivedAt: r.Timestamp.UTC().Format(time.RFC3339Nano),
		Topic: o.fetches(), Partition: r.Partition, Offset: r.Offset, Record: r.Value,
	}
}
