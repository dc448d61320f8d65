package intake

import (
	"context"
	"fmt"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/event"
)

// Source makes events of the items of one entry. It is safe for concurrent use.
type Source struct {
	Instance *sources.Instance
	Entry    *sources.Entry
	// Sender is what dead letters name as the sender's key.
	Sender string
	// MaxAhead is how far ahead of the clock an event may be; 0 is the contract's limit.
	MaxAhead time.Duration
	rules    *event.Rules
}

// NewSource is for items of an entry of an instance.
func NewSource(i *sources.Instance, e *sources.Entry, sender string, maxAhead time.Duration) *Source {
	return &Source{Instance: i, Entry: e, Sender: sender, MaxAhead: maxAhead, rules: i.Workspace.EventRules()}
}

// Made is what became of one item. Both may be there: of the events that an item means, those that are good come in, and the item is a
// dead letter for the first that is not; when it is sent again, the good ones are duplicates.
type Made struct {
	Events  []event.Event
	Dropped event.Dropped
	// Bad is why there is a letter.
	Bad    *event.Error
	Letter *deadletter.Letter
}

// Item maps an item. Its error says that nothing can be said of the item, because ctx ended or it cannot be written down.
func (s *Source) Item(ctx context.Context, item items.Item, v *mapping.Variables, now time.Time) (Made, error) {
	m := Made{Dropped: event.Dropped{}}
	list, err := s.Instance.Map(ctx, s.Entry, item, v)
	if ctx.Err() != nil {
		return m, ctx.Err()
	}
	if err != nil {
		return m, s.Bury(&m, item, v, err, now)
	}
	for n, raw := range list {
		e, dropped, bad := event.Parse(raw, s.rules, now, event.Options{MaxAhead: s.MaxAhead})
		for reason, count := range dropped {
			m.Dropped[reason] += count
		}
		switch {
		case bad == nil:
			m.Events = append(m.Events, e)
		case m.Bad == nil:
			of := *bad
			if len(list) > 1 {
				of.Message = fmt.Sprintf("%s (event %d of %d)", bad.Message, n+1, len(list))
			}
			m.Bad = &of
		}
	}
	if m.Bad != nil {
		return m, s.Bury(&m, item, v, m.Bad, now)
	}
	return m, nil
}

// Bury adds the dead letter of an item: one that could not be read has its place alone.
func (s *Source) Bury(m *Made, item items.Item, v *mapping.Variables, why error, now time.Time) error {
	p, err := Parcel(item, v)
	if err != nil {
		return err
	}
	b, err := p.Encode()
	if err != nil {
		return err
	}
	m.Bad = Why(why)
	if m.Letter, err = Bury(s.Instance.Workspace, s.Sender, item.Place.Index, b, m.Bad, now); err != nil {
		return err
	}
	by := By(s.Instance, s.Entry)
	m.Letter.Source = &by
	return nil
}
