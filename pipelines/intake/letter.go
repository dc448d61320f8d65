package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
)

// Why is the reason of a dead letter: of an event, or of an item that could not be read or mapped.
func Why(err error) *event.Error {
	var bad *event.Error
	var unread *items.Fault
	switch {
	case errors.As(err, &bad):
		return bad
	case errors.As(err, &unread):
		return &event.Error{Code: deadletter.Unreadable, Message: sources.Discreet(unread.Err)}
	}
	return &event.Error{Code: deadletter.Unmapped, Message: sources.Discreet(err)}
}

// Bury makes the dead letter of an item that a sender sent, as it came. Sender is who sent it: a key's name, an import, a pull.
func Bury(w *workspace.Workspace, sender string, index int, item []byte, bad *event.Error, now time.Time) (*deadletter.Letter, error) {
	l := &deadletter.Letter{
		Workspace: w.Name, Key: sender, Code: string(bad.Code), Field: bad.Field, Message: bad.Message, ReceivedAt: now.UTC().Format(time.RFC3339Nano),
		Index: index, Named: named(item),
	}
	return l, l.Keep([]byte(w.Pepper), item, w.StoreContacts)
}

// sourceName is the form of a source.
var sourceName = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

// named is the source that a rejected item names, if it can be read: whoever looks after a source sees what was refused of it.
func named(item []byte) string {
	var of struct {
		Source string `json:"source"`
	}
	if json.Unmarshal(item, &of) != nil || !sourceName.MatchString(of.Source) {
		return ""
	}
	return of.Source
}

// By says by what an item of an entry is read.
func By(i *sources.Instance, e *sources.Entry) delivery.Source {
	return delivery.Source{Source: i.Source.Name, Instance: i.Name, Entry: e.Name, Version: i.Source.Version}
}

// Parcel is an item with all that its mapping is told of it.
func Parcel(item items.Item, v *mapping.Variables) (*delivery.Parcel, error) {
	p := &delivery.Parcel{}
	for _, part := range []struct {
		to *json.RawMessage
		of any
	}{{&p.Item, item.Value}, {&p.Envelope, item.Envelope}, {&p.Place, item.Place}, {&p.Request, v.Request}} {
		b, err := json.Marshal(part.of)
		if err != nil {
			return nil, fmt.Errorf("parcel: %w", err)
		}
		*part.to = b
	}
	return p, tell(p, v)
}

// maxTold is how large what a mapping was told may be to be kept with each item: the answers to a pull's first requests may be anything.
const maxTold = 256 << 10

// tell adds what only a pull's mapping is told.
func tell(p *delivery.Parcel, v *mapping.Variables) error {
	told := map[string]any{}
	for name, value := range map[string]any{"account": v.Account, "window": v.Window, "cursor": v.Cursor, "page": v.Page, "responses": v.Responses} {
		if value != nil {
			told[name] = value
		}
	}
	for len(told) > 0 {
		b, err := json.Marshal(told)
		if err != nil {
			return fmt.Errorf("parcel: %w", err)
		}
		if len(b) <= maxTold {
			p.Told = b
			return nil
		}
		if _, ok := told["responses"]; !ok {
			return nil
		}
		delete(told, "responses")
	}
	return nil
}

// Told gives a mapping back what it was told of an item.
func Told(p *delivery.Parcel, v *mapping.Variables) error {
	var err error
	for _, part := range []struct {
		from json.RawMessage
		to   *any
	}{{p.Envelope, &v.Envelope}, {p.Request, &v.Request}} {
		value, bad := delivery.Value(part.from)
		*part.to, err = value, errors.Join(err, bad)
	}
	told, bad := delivery.Value(p.Told)
	if object, ok := told.(map[string]any); ok {
		v.Account, v.Window, v.Cursor, v.Page, v.Responses = object["account"], object["window"], object["cursor"], object["page"], object["responses"]
	}
	return errors.Join(err, bad)
}
