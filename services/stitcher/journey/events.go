package journey

import (
	"slices"
	"strings"

	"github.com/throughline-io/throughline/schemas/event"
)

// eventSet is a person's events by key. Most people have a few, which need no map.
type eventSet struct {
	few  []*event.Event
	many map[eventKey]*event.Event
}

type eventKey struct{ source, id string }

const (
	// fewEvents is how many a set looks through.
	fewEvents = 8
	// usualEvents is how many most people have at most.
	usualEvents = 4
)

func (s *eventSet) len() int { return len(s.few) + len(s.many) }

func (s *eventSet) get(k eventKey) *event.Event {
	if s.many != nil {
		return s.many[k]
	}
	for _, e := range s.few {
		if e.ID == k.id && e.Source == k.source {
			return e
		}
	}
	return nil
}

// roomy reports that another event leaves it with few.
func (s *eventSet) roomy() bool { return s.many == nil && len(s.few) < fewEvents }

// only reports that there are few events, all of a type.
func (s *eventSet) only(t event.Type) bool {
	return s.many == nil && !slices.ContainsFunc(s.few, func(e *event.Event) bool { return e.Type != t })
}

// add adds an event that is not there.
func (s *eventSet) add(e *event.Event) {
	if s.roomy() {
		if s.few == nil {
			s.few = make([]*event.Event, 0, usualEvents)
		}
		s.few = append(s.few, e)
		return
	}
	if s.many == nil {
		s.many = make(map[eventKey]*event.Event, 2*fewEvents)
		for _, old := range s.few {
			s.many[eventKey{old.Source, old.ID}] = old
		}
		s.few = nil
	}
	s.many[eventKey{e.Source, e.ID}] = e
}

func (s *eventSet) each(do func(*event.Event)) {
	for _, e := range s.few {
		do(e)
	}
	for _, e := range s.many {
		do(e)
	}
}

// list is all events, in no order.
func (s *eventSet) list() []*event.Event {
	out := make([]*event.Event, 0, s.len())
	s.each(func(e *event.Event) { out = append(out, e) })
	return out
}

// keyOf splits an event's key: a source holds no slash.
func keyOf(key string) eventKey {
	source, id, _ := strings.Cut(key, "/")
	return eventKey{source, id}
}
