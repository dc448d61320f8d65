package stitcher

import (
	"bytes"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/identity"
	"github.com/throughline-io/throughline/services/stitcher/journey"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// space is what a partition holds of one workspace: its people, its numbers and its spend. It is the effects of the
// identity machine.
type space struct {
	p         *Partition
	workspace string
	rules     Rules
	pool      map[identity.ID]bool // nodes of the pool numbers
	machine   *identity.Machine[*journey.Facts]
	spends    map[event.NodeID]*event.Event
	oldSpends map[event.NodeID]*event.Event // what stood before this transaction, nil where nothing did
	config    []byte                        // what the changelog says the facts were computed by
	wrote     bool                          // this transaction writes rules.Config
}

func newSpace(p *Partition, workspace string, rules Rules) *space {
	s := &space{
		p: p, workspace: workspace, rules: rules,
		spends: map[event.NodeID]*event.Event{}, oldSpends: map[event.NodeID]*event.Event{},
	}
	s.pool = make(map[identity.ID]bool, len(rules.Pool))
	for number := range rules.Pool {
		s.pool[identity.NumberNode(number)] = true
	}
	s.machine = identity.New[*journey.Facts](s)
	return s
}

// Facts is facts(journey) of the contract.
func (s *space) Facts(person identity.ID, _ []identity.ID, j identity.Journey) *journey.Facts {
	in := journey.Journey{Person: person, Events: make([]*event.Event, 0, len(j))}
	for _, e := range j {
		switch {
		case e.Event != nil:
			in.Events = append(in.Events, e.Event)
			if journey.PoolCall(e.Event, s.rules.Rules) {
				if m := j[identity.MatchKey(e.Key)]; m != nil && m.Match != nil {
					if in.Matches == nil {
						in.Matches = map[string]journey.Match{}
					}
					in.Matches[e.Key] = journey.Match{State: journey.MatchState(m.Match.State), Visitor: m.Match.Visitor}
				}
			}
		}
	}
	return journey.Of(in, s.rules.Rules)
}

// Post posts facts(after) − facts(before).
func (s *space) Post(kind identity.Change, cause string, before, after []**journey.Facts) {
	why := journey.Change{Cause: cause}
	switch kind {
	case identity.Merged:
		why.Type = fact.CauseMerge
	case identity.Parted:
		why.Type = fact.CauseSplit
	case identity.Changed:
	}
	s.post(why, facts(before), facts(after))
}

func facts(pp []**journey.Facts) []*journey.Facts {
	out := make([]*journey.Facts, len(pp))
	for i, f := range pp {
		out[i] = *f
	}
	return out
}

func (s *space) post(why journey.Change, before, after []*journey.Facts) {
	p := s.posting(why.Cause)
	journey.Diff(p, before, after, why)
	s.emit(p)
}

func (s *space) posting(cause string) *fact.Posting {
	return &fact.Posting{Workspace: s.workspace, RecordedAt: s.p.now, Cause: cause}
}

func (s *space) emit(p *fact.Posting) {
	if !p.Empty() {
		s.p.out.Postings = append(s.p.out.Postings, p)
	}
}

// Pool says whether a number's node is of a pool by the rules of today.
func (s *space) Pool(number identity.ID) bool { return s.pool[number] }

// Send passes a message on: here at once, or to another partition with the transaction.
func (s *space) Send(m identity.Message) {
	e := state.Envelope{Workspace: s.workspace, Message: m}
	if s.p.home(m.To) == s.p.id {
		s.p.local = append(s.p.local, e)
		return
	}
	s.p.out.Messages = append(s.p.out.Messages, e)
}

// Stored tells the number's node of a lease or a call, once it is part of a journey.
func (s *space) Stored(e *identity.Entry) {
	switch {
	case e.Event == nil:
	case e.Event.Type == event.NumberLease:
		l := e.Event.Lease
		s.Send(identity.Message{Kind: identity.Leased, To: identity.NumberNode(l.Number), Cause: e.Key, Lease: &identity.Lease{
			Key: e.Key, From: e.Event.Time, Until: l.Until, Visitor: l.Visitor,
		}})
	case journey.PoolCall(e.Event, s.rules.Rules):
		s.Send(identity.Message{Kind: identity.Called, To: identity.NumberNode(e.Event.Call.Company), Cause: e.Key, Call: &identity.Call{
			Key: e.Key, Time: e.Event.Time, Home: e.Home,
		}})
	}
}

// Conflict posts that an event counts for nothing because its id was taken.
func (s *space) Conflict(e *identity.Entry) { s.conflict(e.Event) }

func (s *space) conflict(e *event.Event) {
	p := s.posting(e.Key())
	p.Conflicts = []fact.Conflict{{Source: e.Source, EventID: e.ID, Content: e.Content}}
	s.emit(p)
}

// spend lets the greatest report of a key stand and posts the difference.
func (s *space) spend(e *event.Event) {
	id := event.SpendKey(e)
	old := s.spends[id]
	if old != nil && !journey.Restates(e, old) {
		if old.ID == e.ID && old.Content != e.Content {
			s.conflict(e)
		}
		return
	}
	p := s.posting(e.Key())
	if old != nil {
		p.Spends = append(p.Spends, journey.SpendRow(old, -1, s.rules.Rules))
	}
	p.Spends = append(p.Spends, journey.SpendRow(e, 1, s.rules.Rules))
	if _, ok := s.oldSpends[id]; !ok {
		s.oldSpends[id] = old
	}
	s.spends[id] = keep(e)
	s.emit(p)
}

func (s *space) changes(out []state.Record) []state.Record {
	before := len(out)
	d := s.machine.Dirty()
	for id := range d.Nodes {
		r, ok := s.machine.Record(id)
		out = append(out, state.Node(s.workspace, id, r, ok))
	}
	for ref, e := range d.Entries {
		out = append(out, state.Entry(s.workspace, ref, e))
	}
	for ref, l := range d.Leases {
		out = append(out, state.Lease(s.workspace, ref, l))
	}
	for ref, c := range d.Calls {
		out = append(out, state.Call(s.workspace, ref, c))
	}
	for id := range s.oldSpends {
		out = append(out, state.Spend(s.workspace, id, s.spends[id]))
	}
	if len(out) > before && !bytes.Equal(s.config, s.rules.Config) {
		s.wrote = true
	}
	if s.wrote {
		out = append(out, state.Config(s.workspace, s.rules.Config))
	}
	return out
}

func (s *space) commit() {
	s.machine.Commit()
	clear(s.oldSpends)
	if s.wrote {
		s.config, s.wrote = s.rules.Config, false
	}
}

func (s *space) rollback() {
	s.machine.Rollback()
	for id, old := range s.oldSpends {
		if old == nil {
			delete(s.spends, id)
		} else {
			s.spends[id] = old
		}
	}
	clear(s.oldSpends)
	s.wrote = false
}
