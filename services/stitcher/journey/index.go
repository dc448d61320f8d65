package journey

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Index is a person's journey, kept so that a change can be posted. It is not safe for concurrent use, and nothing of it can be
// undone: whoever must go back throws it away and makes it anew from the events.
type Index struct {
	person  event.NodeID
	rules   *Rules
	events  map[string]*event.Event
	matches map[string]Match
	facts   *Facts
}

// NewIndex makes a journey without events.
func NewIndex(person event.NodeID, r *Rules) *Index {
	return &Index{person: person, rules: r, events: map[string]*event.Event{}}
}

// Person is whose journey it is.
func (x *Index) Person() event.NodeID { return x.person }

// Load adds an event whose facts are posted already.
func (x *Index) Load(e *event.Event) { x.events[e.Key()], x.facts = e, nil }

// LoadMatch adds what is known of a pool call already.
func (x *Index) LoadMatch(call string, m Match) {
	if x.matches == nil {
		x.matches = map[string]Match{}
	}
	x.matches[call], x.facts = m, nil
}

// Put adds an event that is not there and appends to p what that changes.
func (x *Index) Put(p *fact.Posting, e *event.Event, why Change) {
	x.change(p, why, func() { x.Load(e) })
}

// SetMatch says what is known now of a pool call, which need not be here.
func (x *Index) SetMatch(p *fact.Posting, call string, m Match, why Change) {
	x.change(p, why, func() { x.LoadMatch(call, m) })
}

// Merge moves all of o to x and appends what that changes. What is in both stands as it was in x.
func (x *Index) Merge(p *fact.Posting, o *Index, why Change) {
	before := []*Facts{x.Facts(), o.Facts()}
	for key, e := range o.events {
		if x.events[key] == nil {
			x.Load(e)
		}
	}
	for call, m := range o.matches {
		if _, ok := x.matches[call]; !ok {
			x.LoadMatch(call, m)
		}
	}
	Diff(p, before, []*Facts{x.Facts()}, why)
}

func (x *Index) change(p *fact.Posting, why Change, do func()) {
	before := x.Facts()
	do()
	Diff(p, []*Facts{before}, []*Facts{x.Facts()}, why)
}

// Facts is the whole of what the journey implies.
func (x *Index) Facts() *Facts {
	if x.facts == nil {
		j := Journey{Person: x.person, Matches: x.matches}
		for _, e := range x.events {
			j.Events = append(j.Events, e)
		}
		x.facts = Of(j, x.rules)
	}
	return x.facts
}

// Size is about how many bytes the journey takes beside its events.
func (x *Index) Size() int { return 200 + 100*len(x.events) }
