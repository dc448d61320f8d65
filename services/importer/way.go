package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
)

// Way is how files are read and what their items mean.
type Way struct {
	// Fingerprint is a hash of all that decides what an item means.
	Fingerprint string

	workspace, source, entry string
	read                     func(items.Input) iter.Seq2[items.Item, error]
	// item makes events of an item, or a dead letter of one that could not be read.
	item func(ctx context.Context, it items.Item, fault error, received, now time.Time) (intake.Made, error)
}

// Sender is what dead letters name as their sender's key.
const Sender = "import"

// Through is the way by a source's entry.
func Through(i *sources.Instance, e *sources.Entry, maxAhead time.Duration) (*Way, error) {
	s := intake.NewSource(i, e, Sender, maxAhead)
	of, err := json.Marshal([]any{i.Source.Version, i.Settings, i.Tables, i.Workspace.Timezone, i.Workspace.Currency, i.Workspace.Country})
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	sum := sha256.Sum256(of)
	w := &Way{Fingerprint: hex.EncodeToString(sum[:8]), workspace: i.Workspace.Name, source: i.Name, entry: e.Name, read: e.Read.Read}
	w.item = func(ctx context.Context, it items.Item, fault error, received, now time.Time) (intake.Made, error) {
		v := i.Variables(e, received)
		if fault == nil {
			return s.Item(ctx, it, v, now)
		}
		var m intake.Made
		return m, s.Bury(&m, it, v, fault, now)
	}
	return w, nil
}

// BuiltIn is the name of the way of canonical events: NDJSON or JSON, as POST /v1/events takes them.
const BuiltIn = "events"

// Events is that way.
func Events(w *workspace.Workspace, maxAhead time.Duration) *Way {
	rules := w.EventRules()
	return &Way{
		Fingerprint: "events.v1", workspace: w.Name, source: BuiltIn, read: readEvents,
		item: func(_ context.Context, it items.Item, fault error, _, now time.Time) (m intake.Made, err error) {
			raw, _ := it.Value.(json.RawMessage) // nothing, of one that could not be read
			var e event.Event
			e, m.Dropped, m.Bad = event.Parse(raw, rules, now, event.Options{MaxAhead: maxAhead})
			if fault != nil {
				m.Bad = intake.Why(fault)
			}
			if m.Bad == nil {
				m.Events = []event.Event{e}
				return m, nil
			}
			m.Letter, err = intake.Bury(w, Sender, it.Place.Index, raw, m.Bad, now)
			return m, err
		},
	}
}

// key is that of the progress of a content.
func (w *Way) key(content string) string {
	return strings.Join([]string{w.workspace, w.source, w.entry, content}, "\x00")
}

// EntryOf is the entry of a source that files come by: the named one, or the only one.
func EntryOf(s *sources.Source, name string) (*sources.Entry, error) {
	list := s.EntriesOf(sources.File)
	if name != "" {
		list = slices.DeleteFunc(list, func(e *sources.Entry) bool { return e.Name != name })
	}
	if len(list) == 1 {
		return list[0], nil
	}
	var names []string
	for _, e := range s.EntriesOf(sources.File) {
		names = append(names, e.Name)
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("%s has no entry for files (kind: file)", s.Name)
	case name != "":
		return nil, fmt.Errorf("%s has no entry %q for files; it has %s", s.Name, name, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("%s has several entries for files: name one with --entry: %s", s.Name, strings.Join(names, ", "))
}

// wholeFault is a fault behind which nothing can be read.
func wholeFault(err error) bool {
	var f *items.Fault
	return errors.As(err, &f) && f.Whole
}
