// Package tail shows what travels through a topic, a JSON line a record, to whoever looks after the system.
//
// It promises to change nothing: it belongs to no group and commits nothing. It shows no client's phone or e-mail, not even of a
// workspace that stores them: of an event it shows what attribution looks at, of a dead letter the reason and not the item.
package tail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// Kinds are what can be looked at, and their topics.
var Kinds = map[string]string{
	"events": pipelines.TopicEvents, "facts": pipelines.TopicFacts, "dead": pipelines.TopicDead, "fetches": pipelines.TopicFetches,
}

// Filter chooses records; what is empty chooses all.
type Filter struct {
	Workspace, Source, Type, Code string
}

// Tail is one look.
type Tail struct {
	Operator *kafka.Operator
	Prefix   string
	Kind     string
	Filter   Filter
	Since    time.Time
	Follow   bool
	// Most records are shown; all, if 0.
	Most int
}

// line is a record as it is shown, with what the filter looks at.
type line struct {
	Workspace, Source, Type, Code string
	value                         any
}

// errEnough ends the reading.
var errEnough = errors.New("enough was shown")

// Run writes a JSON line a record, until the topic's end, or until ctx is done.
func (t *Tail) Run(ctx context.Context, w io.Writer) error {
	topic := Kinds[t.Kind]
	if topic == "" {
		return fmt.Errorf("%q is none of %v", t.Kind, slices.Sorted(maps.Keys(Kinds)))
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	n := 0
	err := t.Operator.Read(ctx, kafka.Look{Topic: t.Prefix + topic, Since: t.Since, Follow: t.Follow}, func(r kafka.Record) error {
		l, err := show(t.Kind, r)
		if err != nil {
			l = &line{value: map[string]any{"partition": r.Partition, "offset": r.Offset, "error": err.Error()}}
		}
		if !t.Filter.takes(l) {
			return nil
		}
		if err := out.Encode(l.value); err != nil {
			return err
		}
		if n++; n == t.Most {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (f Filter) takes(l *line) bool {
	for _, c := range []struct{ want, is string }{{f.Workspace, l.Workspace}, {f.Source, l.Source}, {f.Type, l.Type}, {f.Code, l.Code}} {
		if c.want != "" && c.want != c.is {
			return false
		}
	}
	return true
}
