package puller

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
)

// batch is what goes to Kafka together.
type batch struct {
	records []*kgo.Record
	bytes   int
	events  map[event.Type]int
	letters map[string]int // by code
}

func newBatch() *batch { return &batch{events: map[event.Type]int{}, letters: map[string]int{}} }

func (b *batch) add(r *kgo.Record) {
	b.records = append(b.records, r)
	b.bytes += len(r.Key) + len(r.Value)
}

func (b *batch) full() bool { return len(b.records) >= batchEvents || b.bytes >= batchBytes }

// join adds another's.
func (b *batch) join(other *batch) {
	b.records, b.bytes = append(b.records, other.records...), b.bytes+other.bytes
	for t, n := range other.events {
		b.events[t] += n
	}
	for c, n := range other.letters {
		b.letters[c] += n
	}
}

// codeNobodys is the code of a fetch whose source or entry is not in the configuration.
const codeNobodys = "unknown_source"

// item adds an item's events, or its dead letter: an item of which one event is none is a letter, whatever became of its others.
func (in *instance) item(ctx context.Context, b *batch, e *sources.Entry, item items.Item, v *mapping.Variables, letter func(code, field, message string) error) error {
	list, err := in.Map(ctx, e, item, v)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return letter(deadletter.Unmapped, "", sources.Discreet(err))
	}
	now := time.Now()
	for n, raw := range list {
		ev, dropped, bad := event.Parse(raw, in.rules, now, event.Options{MaxAhead: in.owner.p.cfg.MaxAhead})
		for reason, n := range dropped {
			in.owner.p.metrics.dropped.WithLabelValues(in.id.Workspace, in.id.Instance, string(reason)).Add(float64(n))
		}
		if bad != nil {
			if err := letter(string(bad.Code), bad.Field, fmt.Sprintf("event %d: %s", n, bad.Message)); err != nil {
				return err
			}
			return nil
		}
		b.add(in.owner.topics().Event(&ev))
		b.events[ev.Type]++
	}
	return nil
}

// topics is where events and dead letters go: the same place whoever takes them in.
func (o *owner) topics() *intake.Topics {
	return &intake.Topics{Prefix: o.p.cfg.TopicPrefix, Events: o.p.events, Dead: o.p.dead, Fetches: o.p.fetches}
}

// letter adds a dead letter of a parcel.
func (in *instance) letter(b *batch, e string, received time.Time, p *delivery.Parcel, index int, code, field, message string) error {
	l := &deadletter.Letter{
		Workspace: in.id.Workspace, Key: in.id.Instance, Code: code, Field: field, Message: message,
		ReceivedAt: received.UTC().Format(time.RFC3339Nano), Index: index,
		Source: &delivery.Source{Source: in.Source.Name, Instance: in.id.Instance, Entry: e, Version: in.Source.Version},
	}
	body, err := p.Encode()
	if err != nil {
		return fmt.Errorf("puller: dead letter: %w", err)
	}
	if err := l.Keep(in.pepper, body, in.Workspace.StoreContacts); err != nil {
		return fmt.Errorf("puller: %w", err)
	}
	return in.owner.bury(b, l)
}

// bury adds a dead letter.
func (o *owner) bury(b *batch, l *deadletter.Letter) error {
	r, err := o.topics().Letter(l)
	if err != nil {
		return fmt.Errorf("puller: %w", err)
	}
	b.add(r)
	b.letters[l.Code]++
	return nil
}

// raw is a value of the mapping as JSON; nothing, where it is null or too large to be kept.
func raw(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := mapping.JSON(v)
	if err != nil {
		return nil
	}
	return b
}

// count tells the metrics what Kafka has now.
func (in *instance) count(b *batch) {
	m := in.owner.p.metrics
	for t, n := range b.events {
		m.events.WithLabelValues(in.id.Workspace, in.id.Instance, t.String()).Add(float64(n))
	}
	for code, n := range b.letters {
		m.letters.WithLabelValues(in.id.Workspace, in.id.Instance, code).Add(float64(n))
	}
}
