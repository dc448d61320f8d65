package sources

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// Variables are what the programs of an entry are told: the instance's part is filled in, the rest is the caller's.
func (i *Instance) Variables(e *Entry, received time.Time) *mapping.Variables {
	return &mapping.Variables{
		Settings: i.Settings, Tables: i.Tables, Workspace: i.about, Received: received.UTC().Format("2006-01-02T15:04:05.000Z"),
		Source: map[string]any{"name": i.Name, "source": i.Source.Name, "entry": e.Name},
	}
}

// ErrOutput says that a program gave what is no event of its entry.
var ErrOutput = errors.New("the mapping gave no event")

// Map makes events of one item: canonical events as JSON, for event.Parse. V is Variables with the rest filled in; the item's place and
// envelope are added here.
func (i *Instance) Map(ctx context.Context, e *Entry, item items.Item, v *mapping.Variables) ([]json.RawMessage, error) {
	with := *v
	if with.Envelope == nil && item.Envelope != nil {
		with.Envelope = item.Envelope
	}
	with.Place = map[string]any{"file": item.Place.File, "line": item.Place.Line, "index": item.Place.Index}
	out, err := e.Program.Run(ctx, item.Value, &with)
	if err != nil {
		return nil, err
	}
	events := make([]json.RawMessage, 0, len(out))
	for n, value := range out {
		b, err := i.event(e, value)
		if err != nil {
			return nil, fmt.Errorf("%w: output %d of entry %s: %w", ErrOutput, n, e.Name, err)
		}
		events = append(events, b)
	}
	return events, nil
}

func (i *Instance) event(e *Entry, value any) ([]byte, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("it is no object; a mapping that means nothing gives empty")
	}
	kind, ok := object["type"].(string)
	if ok && !slices.Contains(e.Makes, kind) {
		return nil, fmt.Errorf("it has the type %.40q, and the entry makes %v", kind, e.Makes)
	}
	if object["source"] == nil {
		with := make(map[string]any, len(object)+1)
		for k, v := range object {
			with[k] = v
		}
		with["source"] = i.Name
		object = with
	}
	return mapping.JSON(object)
}
