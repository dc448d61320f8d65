package replay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
)

// skipped says why a letter cannot be sent again.
type skipped string

func (s skipped) Error() string { return string(s) }

// Reasons.
const (
	noWorkspace skipped = "its workspace is not in the configuration"
	noPepper    skipped = "it does not open with its workspace's pepper"
	noSource    skipped = "its source is not in the configuration"
	noEntry     skipped = "its source no longer has the entry"
	noSender    skipped = "its sender's key is not in the configuration"
	noItem      skipped = "it is of a record that could not be handled, not of an item"
	noParcel    skipped = "it holds nothing that can be read"
)

// again makes of letters what they would be today.
type again struct {
	run        *Replay
	topics     *intake.Topics
	workspaces map[string]*workspace.Workspace
	rules      map[string]*event.Rules
}

func newAgain(r *Replay, topics *intake.Topics) *again {
	a := &again{run: r, topics: topics, workspaces: map[string]*workspace.Workspace{}, rules: map[string]*event.Rules{}}
	for i := range r.Workspaces {
		w := &r.Workspaces[i]
		a.workspaces[w.Name], a.rules[w.Name] = w, w.EventRules()
	}
	return a
}

// made is what a letter becomes. Bad is the first fault that is left.
type made struct {
	records         []*kgo.Record
	events, fetches int
	bad             *event.Error
}

func (m *made) event(t *intake.Topics, e *event.Event) {
	m.records = append(m.records, t.Event(e))
	m.events++
}

func (m *made) fault(bad *event.Error) {
	if m.bad == nil {
		m.bad = bad
	}
}

// letter is what a letter becomes today.
func (a *again) letter(ctx context.Context, l *deadletter.Letter) (*made, error) {
	w := a.workspaces[l.Workspace]
	switch {
	case l.Topic != "" || l.Record != nil:
		return nil, noItem
	case w == nil:
		return nil, noWorkspace
	}
	item, err := l.Open([]byte(w.Pepper))
	switch {
	case err != nil:
		return nil, noPepper
	case len(item) == 0:
		return nil, noParcel
	case l.Source != nil:
		return a.vendors(ctx, l, item)
	}
	return a.senders(w, l, item)
}

// senders is an item that was sent to /v1/events or by a page.
func (a *again) senders(w *workspace.Workspace, l *deadletter.Letter, item []byte) (*made, error) {
	public, found := false, false
	for _, k := range w.Keys {
		if k.Name == l.Key {
			public, found = k.Public != "", k.Report == ""
		}
	}
	if !found {
		return nil, noSender
	}
	if public {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%s", w.Name, l.ReceivedAt, l.Index, item))
		item = withID(item, "replayed-"+hex.EncodeToString(sum[:16]))
	}
	m := &made{}
	e, _, bad := event.Parse(item, a.rules[w.Name], a.run.Now(), event.Options{MaxAhead: a.run.MaxAhead})
	if bad == nil && public && e.Type != event.Visit && e.Type != event.Form && e.Type != event.Identify {
		bad = &event.Error{Code: event.BadType, Field: "type", Message: "a public key may send visit, form and identify only"}
	}
	if bad != nil {
		m.fault(bad)
		return m, nil
	}
	m.event(a.topics, &e)
	return m, nil
}

// vendors is what a source was sent: a single item, or a request that could not be cut into items.
func (a *again) vendors(ctx context.Context, l *deadletter.Letter, kept []byte) (*made, error) {
	instance, ok := a.run.Sources.Named(l.Workspace, l.Source.Instance)
	if !ok {
		return nil, noSource
	}
	entry, ok := instance.Source.Entry(l.Source.Entry)
	if !ok {
		return nil, noEntry
	}
	p, err := delivery.DecodeParcel(kept)
	if err != nil || l.Code == deadletter.Unreadable && string(p.Item) == "null" { // an import's: the file has it
		return nil, noParcel
	}
	received, err := time.Parse(time.RFC3339Nano, l.ReceivedAt)
	if err != nil {
		received = a.run.Now()
	}
	v := instance.Variables(entry, received)
	if err := intake.Told(p, v); err != nil {
		return nil, noParcel
	}
	m := &made{}
	if len(p.Item) > 0 {
		value, err := delivery.Value(p.Item)
		if err != nil {
			return nil, noParcel
		}
		return m, a.item(ctx, m, instance, entry, items.Item{Value: value, Place: items.Place{Index: l.Index}}, v)
	}
	in := items.Input{Body: bytes.NewReader(p.Body), File: "body", ContentType: p.ContentType, Query: p.Query, Limits: items.Hook}
	for item, err := range entry.Read.Read(in) {
		if err != nil {
			m.fault(intake.Why(err))
			continue
		}
		with := *v
		with.Envelope = item.Envelope
		if err := a.item(ctx, m, instance, entry, item, &with); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// item maps one item as its source does today; one for which the vendor is asked back is asked again.
func (a *again) item(ctx context.Context, m *made, i *sources.Instance, e *sources.Entry, item items.Item, v *mapping.Variables) error {
	if e.Fetch != nil {
		return a.fetch(m, i, e, item, v)
	}
	of, err := intake.NewSource(i, e, i.Name, a.run.MaxAhead).Item(ctx, item, v, a.run.Now())
	if err != nil {
		return err
	}
	for n := range of.Events {
		m.event(a.topics, &of.Events[n])
	}
	if of.Bad != nil {
		m.fault(of.Bad)
	}
	return nil
}

func (a *again) fetch(m *made, i *sources.Instance, e *sources.Entry, item items.Item, v *mapping.Variables) error {
	p, err := intake.Parcel(item, v)
	if err != nil {
		return err
	}
	f := &delivery.Fetch{Workspace: i.Workspace.Name, Source: intake.By(i, e), ReceivedAt: v.Received}
	if err := f.Keep([]byte(i.Workspace.Pepper), p, i.Workspace.StoreContacts); err != nil {
		return err
	}
	r, err := a.topics.Fetch(f)
	if err != nil {
		return err
	}
	m.records = append(m.records, r)
	m.fetches++
	return nil
}
