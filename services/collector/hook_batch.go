package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
)

// hookBatch is what came of a vendor's request.
type hookBatch struct {
	*batch
	// items are all, fetches those that wait for the vendor's answer, silent those that mean nothing; bad are codes of the rest.
	items, fetches, silent int
	bad                    map[string]int
	// unread is why an item could not be read: the request is then kept as a whole, for of the item there is nothing to keep.
	unread error
	// kept is how many bytes of parcels are kept, events how many events there are, of what size.
	kept, events, size int
}

// allBad reports that something was sent and nothing of it was any good.
func (b *hookBatch) allBad() bool {
	return len(b.bad) > 0 && b.answer.Accepted+b.answer.Duplicates+b.fetches+b.silent == 0
}

// Limits of what comes of one request.
const (
	// maxHookEvents and maxHookBytes bound the events of one request, as for /v1/events.
	maxHookEvents = MaxItems
	maxHookBytes  = MaxRequestBytes
	// letterShare: where the parcels of single items are more than so many bodies, the request is kept once instead, as a whole.
	letterShare = 2
)

// errHookGrows says that a small request means too much.
var errHookGrows = errors.New("more events come of the request than one may bring")

// readHook reads and maps a request. An item that cannot be is a dead letter, with all that its mapping was told; the others are not
// harmed by it.
func (c *Collector) readHook(ctx context.Context, k *connection, h *hook) *hookBatch {
	b := &hookBatch{batch: newBatch(h.instance.Workspace.Name), bad: map[string]int{}}
	v := h.instance.Variables(h.entry, h.request.Received)
	if h.entry.NeedsRequest {
		v.Request = h.instance.Request(h.entry, h.request)
	}
	in := items.Input{
		Body: bytes.NewReader(h.request.Body), File: "body", ContentType: h.request.Header.Get("Content-Type"), Query: h.request.Query, Limits: items.Hook,
	}
	for item, err := range h.entry.Read.Read(in) {
		var fault *items.Fault
		if errors.As(err, &fault) && fault.Whole {
			return c.buryWhole(k, h, b.bad, deadletter.Unreadable, err)
		}
		b.items++
		if err == nil {
			err = c.hookItem(ctx, k, h, b, item, v)
		} else {
			b.bad[deadletter.Unreadable]++
			if b.unread == nil {
				b.unread = err
			}
		}
		switch {
		case errors.Is(err, errHookGrows):
			return c.buryWhole(k, h, b.bad, string(event.TooLarge), err)
		case ctx.Err() != nil:
			b.fault = ctx.Err()
		}
		if b.fault != nil {
			return b
		}
		if b.kept > letterShare*len(h.request.Body)+firstBytes {
			return c.buryWhole(k, h, b.bad, deadletter.Unmapped, errors.New("too many of its items could not be mapped to keep each"))
		}
	}
	if b.unread != nil {
		b.whole(k, h, deadletter.Unreadable, b.unread)
	}
	return b
}

// hookItem takes one item.
func (c *Collector) hookItem(ctx context.Context, k *connection, h *hook, b *hookBatch, item items.Item, v *mapping.Variables) error {
	if h.entry.Fetch != nil {
		b.fetch(k, h, item, v)
		return nil
	}
	events, ok := b.mapped(ctx, k, h, item, v)
	if !ok {
		return nil
	}
	if len(events) == 0 {
		b.silent++
	}
	if b.events += len(events); b.events > maxHookEvents {
		return errHookGrows
	}
	var first *event.Error
	for _, raw := range events {
		if b.size += len(raw); b.size > maxHookBytes {
			return errHookGrows
		}
		e, dropped, bad := event.Parse(raw, c.rules[b.workspace], h.request.Received, event.Options{MaxAhead: c.cfg.MaxAhead})
		b.drop(dropped)
		if bad == nil {
			b.accept(c, k, &e)
		} else if first == nil {
			first = bad
		}
	}
	if first != nil { // once for the item: it is sent again as a whole, and what was good is then a duplicate
		b.buryItem(k, h, item, v, string(first.Code), first.Field, first.Message)
	}
	return nil
}

// mapped are the events of an item; false where it means none, which is noted.
func (b *hookBatch) mapped(ctx context.Context, k *connection, h *hook, item items.Item, v *mapping.Variables) ([]json.RawMessage, bool) {
	events, err := h.instance.Map(ctx, h.entry, item, v)
	switch {
	case errors.Is(err, errBusy):
		b.fault = err
	case err != nil && ctx.Err() == nil: // one that was cut off says nothing of the item
		b.buryItem(k, h, item, v, deadletter.Unmapped, "", sources.Discreet(err))
	}
	return events, err == nil
}

// buryItem adds the dead letter of an item.
func (b *hookBatch) buryItem(k *connection, h *hook, item items.Item, v *mapping.Variables, code, field, message string) {
	b.bad[code]++
	if v.Request == nil {
		v.Request = h.instance.Request(h.entry, h.request) // a mended mapping may look at it
	}
	p, err := intake.Parcel(item, v)
	if err != nil {
		b.fault = err
		return
	}
	b.letter(k, h, p, item.Place.Index, code, field, message)
}

func (b *hookBatch) letter(k *connection, h *hook, p *delivery.Parcel, index int, code, field, message string) {
	kept, err := p.Encode()
	if err != nil {
		b.fault = err
		return
	}
	b.kept += len(kept)
	bad := &event.Error{Code: event.Code(code), Field: field, Message: message}
	l, err := intake.Bury(h.instance.Workspace, h.instance.Name, index, kept, bad, h.request.Received)
	by := intake.By(h.instance, h.entry)
	l.Source = &by
	b.batch.letter(k, l, err)
}

// buryWhole keeps a request as it came, once, and nothing else of it: sent again, all of its items are mapped anew.
func (c *Collector) buryWhole(k *connection, h *hook, before map[string]int, code string, err error) *hookBatch {
	b := &hookBatch{batch: newBatch(h.instance.Workspace.Name), bad: before, items: 1}
	b.bad[code]++
	b.whole(k, h, code, err)
	return b
}

// whole adds the dead letter of a request as it came.
func (b *hookBatch) whole(k *connection, h *hook, code string, err error) {
	request, fault := json.Marshal(h.instance.Request(h.entry, h.request))
	if fault != nil {
		b.fault = fault
		return
	}
	p := &delivery.Parcel{Body: h.request.Body, ContentType: h.request.Header.Get("Content-Type"), Query: h.request.Query, Request: request}
	b.letter(k, h, p, 0, code, "", sources.Discreet(err))
}

// fetch adds the record by which the puller asks the vendor back.
func (b *hookBatch) fetch(k *connection, h *hook, item items.Item, v *mapping.Variables) {
	p, err := intake.Parcel(item, v)
	if err != nil {
		b.fault = err
		return
	}
	f := &delivery.Fetch{Workspace: b.workspace, Source: intake.By(h.instance, h.entry), ReceivedAt: h.request.Received.UTC().Format(time.RFC3339Nano)}
	if err := f.Keep([]byte(h.instance.Workspace.Pepper), p, h.instance.Workspace.StoreContacts); err != nil {
		b.fault = err
		return
	}
	r, err := k.topics.Fetch(f)
	if err != nil {
		b.fault = err
		return
	}
	b.fetches++
	b.kept += len(p.Item) + len(p.Envelope)
	b.records = append(b.records, r)
}
