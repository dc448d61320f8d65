package puller

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/services/puller/remote"
)

// step is one account and one part of the window: what is pulled, or pulled again, as a whole.
type step struct {
	*run
	account any
	window  *span
	next    *Account // what is true once all of it is in Kafka

	batch   *batch
	burying []uint64 // the items whose letters are in the batch
	counts  Counts
	cursor  any
}

// do asks, maps and commits. Events go to Kafka as they come, in parts; the account's state goes with the last of them.
func (s *step) do(ctx context.Context, before *Account) error {
	s.batch = newBatch()
	v := s.Variables(s.entry, s.Began)
	v.Account = s.account
	if s.window != nil {
		v.Window = s.window.value()
	}
	var err error
	if v.Cursor, err = s.run.cursor(ctx, before, v); err != nil {
		return err
	}
	list := s.pull.Requests
	responses := map[string]any{}
	v.Responses = responses
	for i := range list[:len(list)-1] {
		if responses[list[i].Name], err = s.asker.Response(ctx, &list[i], nil, v); err != nil {
			return err
		}
	}
	last := &list[len(list)-1]
	if err := s.asker.Pages(ctx, last, nil, v, func(b *remote.Body, v *mapping.Variables) (int, error) { return s.page(ctx, last, b, v) }); err != nil {
		return err
	}
	if s.cursor != nil {
		s.next.Cursor = raw(s.cursor)
	}
	s.tally()
	s.Counts.Pages += s.counts.Pages
	s.Counts.Items += s.counts.Items
	s.Counts.Events += s.counts.Events
	s.Counts.Letters += s.counts.Letters
	name := accountName(s.next.Account)
	s.state.Run = &s.Run
	return s.flush(ctx, s.owner.stateRecord(stateKey(kindAccount, s.id, s.entry.Name, name), s.next), s.stateOf())
}

// page reads one answer's items.
func (s *step) page(ctx context.Context, r *sources.Request, b *remote.Body, v *mapping.Variables) (int, error) {
	s.counts.Pages++
	n, err := b.Items(&s.entry.Read, r.Name, func(item items.Item, fault error) error {
		s.counts.Items++
		if err := s.item(ctx, item, fault, v); err != nil {
			return err
		}
		if s.batch.full() {
			s.tally()
			return s.flush(ctx)
		}
		return ctx.Err()
	})
	m := s.owner.p.metrics
	m.pages.WithLabelValues(s.id.Workspace, s.id.Instance, s.entry.Name).Inc()
	m.items.WithLabelValues(s.id.Workspace, s.id.Instance, s.entry.Name).Add(float64(n))
	if err != nil {
		return n, err
	}
	if s.pull.Cursor == nil {
		return n, nil
	}
	body, err := b.Value()
	if err != nil {
		return n, &remote.Failure{Reason: remote.Unreadable, Err: fmt.Errorf("cursor.next: %w", err)}
	}
	next, err := sources.One(ctx, s.pull.Cursor.NextProgram, body, v)
	if err != nil {
		return n, fmt.Errorf("cursor.next: %w", err)
	}
	s.cursor = next
	return n, nil
}

// item maps one, or buries it.
func (s *step) item(ctx context.Context, item items.Item, fault error, v *mapping.Variables) error {
	letter := func(code, field, message string) error {
		sum := s.buried.sum(s.account, item.Value, code)
		if s.buried.seen[sum] { // vendors give the same days again and again
			return nil
		}
		s.burying = append(s.burying, sum)
		s.counts.Letters++
		if s.letters++; s.letters > maxLetters {
			return &remote.Failure{Reason: remote.Unreadable, Err: fmt.Errorf("more than %d items cannot be mapped: the last: %s %s", maxLetters, code, message)}
		}
		p, err := intake.Parcel(item, v)
		if err != nil {
			return fmt.Errorf("puller: %w", err)
		}
		return s.instance.letter(s.batch, s.entry.Name, s.Began, p, item.Place.Index, code, field, message)
	}
	var bad *items.Fault
	switch {
	case errors.As(fault, &bad) && bad.Whole:
		return &remote.Failure{Reason: remote.Unreadable, Err: fault}
	case fault != nil:
		return letter(deadletter.Unreadable, "", sources.Discreet(fault))
	}
	return s.instance.item(ctx, s.batch, s.entry, item, v, letter)
}

// flush gives Kafka what has come, with what is true then.
func (s *step) flush(ctx context.Context, state ...*kgo.Record) error {
	if err := s.owner.commit(ctx, append(s.batch.records, state...)); err != nil {
		return errors.Join(errOwner, err)
	}
	s.instance.count(s.batch)
	s.buried.add(s.burying)
	s.batch, s.burying = newBatch(), nil
	return nil
}

// tally counts the events of the batch.
func (s *step) tally() {
	for _, n := range s.batch.events {
		s.counts.Events += n
	}
}

func records(list ...*kgo.Record) []*kgo.Record { return list }
