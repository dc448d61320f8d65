package importer

import (
	"maps"
	"slices"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// Tally counts what became of items.
type Tally struct {
	// Items that were read; Rejected are those of them with a dead letter, Nothing those that mean no event.
	Items    int64 `json:"items"`
	Rejected int64 `json:"rejected"`
	Nothing  int64 `json:"nothing"`
	// Events by type, Faults by code.
	Events map[string]int64 `json:"events,omitempty"`
	Faults map[string]int64 `json:"faults,omitempty"`
}

func newTally() Tally { return Tally{Events: map[string]int64{}, Faults: map[string]int64{}} }

func (t *Tally) count(m *intake.Made) {
	t.Items++
	for i := range m.Events {
		t.Events[m.Events[i].Type.String()]++
	}
	switch {
	case m.Bad != nil:
		t.Rejected++
		t.Faults[string(m.Bad.Code)]++
	case len(m.Events) == 0:
		t.Nothing++
	}
}

// Add adds another's counts.
func (t *Tally) Add(o Tally) {
	t.Items, t.Rejected, t.Nothing = t.Items+o.Items, t.Rejected+o.Rejected, t.Nothing+o.Nothing
	for _, of := range []struct{ into, from map[string]int64 }{{t.Events, o.Events}, {t.Faults, o.Faults}} {
		for name, n := range of.from {
			of.into[name] += n
		}
	}
}

// clone is for who reads while it goes on.
func (t Tally) clone() Tally {
	t.Events, t.Faults = maps.Clone(t.Events), maps.Clone(t.Faults)
	return t
}

// Sample is one of the first faults of its kind.
type Sample struct {
	Code, Place, Message string
}

// sample keeps the first faults of each kind.
func sample(have []Sample, place items.Place, m *intake.Made) []Sample {
	if m.Bad == nil {
		return have
	}
	same := 0
	for _, s := range have {
		if s.Code == string(m.Bad.Code) {
			same++
		}
	}
	if same >= samplesOfAKind {
		return have
	}
	message := m.Bad.Message
	if m.Bad.Field != "" {
		message = m.Bad.Field + ": " + message
	}
	return append(have, Sample{string(m.Bad.Code), place.String(), message})
}

// merge adds those of a later batch, within the limit.
func merge(have, more []Sample) []Sample {
	for _, s := range more {
		same := len(slices.DeleteFunc(slices.Clone(have), func(h Sample) bool { return h.Code != s.Code }))
		if same < samplesOfAKind {
			have = append(have, s)
		}
	}
	return have
}
