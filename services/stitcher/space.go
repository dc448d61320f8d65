package stitcher

import (
	"bytes"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/identity"
	"github.com/throughline-io/throughline/services/stitcher/journey"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// space is what a partition does for one workspace: its people, its numbers and its spend.
type space struct {
	p         *Partition
	workspace string
	rules     Rules
	store     *state.Space
	pool      map[identity.ID]bool // nodes of the pool numbers
	machine   *identity.Machine[*journey.Index]
	spends    map[event.NodeID]*event.Event // what stands by this transaction
	config    []byte                        // what the changelog says the facts were computed by
	known     bool                          // config was read
	wrote     bool                          // this transaction writes rules.Config
	large     map[identity.ID]bool          // people with more than MaxPersonNodes, told already
	scratch   []byte
	waiting   []*journey.Index // people of whom something is to be posted with the transaction
	settled   []*fact.Posting  // what collects has made
	collects  func(cause string) *fact.Posting
}

func newSpace(p *Partition, workspace string, rules Rules) *space {
	s := &space{
		p: p, workspace: workspace, rules: rules, store: p.store.Space(workspace),
		spends: map[event.NodeID]*event.Event{}, large: map[identity.ID]bool{},
	}
	s.pool = make(map[identity.ID]bool, len(rules.Pool))
	for number := range rules.Pool {
		s.pool[identity.NumberNode(number)] = true
	}
	s.collects = func(cause string) *fact.Posting {
		p := s.posting(cause)
		s.settled = append(s.settled, p)
		return p
	}
	s.machine = identity.New(people{s, rules.Rules}, s.store, p.limits)
	return s
}

// event takes an event whose home is here.
func (s *space) event(e *event.Event) error {
	if e.Type == event.Spend {
		return s.spend(e)
	}
	kept := e.Keep()
	entry := &identity.Entry{Key: kept.Key(), Version: 1, Home: e.Nodes[0].ID, Event: kept}
	if len(e.Nodes) > 1 {
		entry.Joins = make([]identity.ID, 0, len(e.Nodes)-1)
		for _, n := range e.Nodes[1:] {
			entry.Joins = append(entry.Joins, n.ID)
		}
	}
	return s.machine.Handle(identity.Message{Kind: identity.Put, To: entry.Home, Via: entry.Home, Cause: entry.Key, Entry: entry})
}

func (s *space) posting(cause string) *fact.Posting {
	p := s.p.newPosting()
	p.Workspace, p.RecordedAt, p.Cause = s.workspace, s.p.now, cause
	return p
}

func (s *space) emit(p *fact.Posting) {
	if p.Empty() || !s.p.net.add(p) {
		s.p.reuse(p)
	}
}

// defers says that something of a person is to be posted with the transaction.
func (s *space) defers(x *journey.Index) {
	if !x.Deferred() {
		s.waiting = append(s.waiting, x)
	}
}

// settle posts what waits of some people.
func (s *space) settle(people ...*journey.Index) {
	for _, x := range people {
		if !x.Deferred() {
			continue
		}
		x.Settle(s.collects)
		for i, p := range s.settled {
			s.emit(p)
			s.settled[i] = nil
		}
		s.settled = s.settled[:0]
	}
}

// settleAll posts all that waits.
func (s *space) settleAll() {
	s.settle(s.waiting...)
	clear(s.waiting)
	s.waiting = s.waiting[:0]
}

// send passes a message on: here at once, or to another partition with the transaction. A step is for the next transaction: that bounds
// them.
func (s *space) send(m identity.Message) {
	e := state.Envelope{Workspace: s.workspace, Message: m}
	if m.Kind != identity.Step && s.p.home(m.To) == s.p.id {
		s.p.local = append(s.p.local, e)
		return
	}
	s.p.out.Messages = append(s.p.out.Messages, e)
}

// stored tells the number's node of a lease or a call, once it is part of a journey.
func (s *space) stored(e *identity.Entry) {
	switch {
	case e.Event == nil:
	case e.Event.Type == event.NumberLease:
		l := e.Event.Lease
		s.send(identity.Message{Kind: identity.Leased, To: identity.NumberNode(l.Number), Cause: e.Key, Lease: &identity.Lease{
			Key: e.Key, From: e.Event.Time, Until: l.Until, Visitor: l.Visitor, Several: l.Several,
		}})
	case journey.PoolCall(e.Event, s.rules.Rules):
		s.send(identity.Message{Kind: identity.Called, To: identity.NumberNode(e.Event.Call.Company), Cause: e.Key, Call: &identity.Call{
			Key: e.Key, Time: e.Event.Time, Home: e.Home,
		}})
	}
}

func (s *space) conflict(e *event.Event) {
	p := s.posting(e.Key())
	p.Conflicts = []fact.Conflict{{Source: e.Source, EventID: e.ID, Content: e.Content}}
	s.emit(p)
}

// grew tells of a person with very many nodes, once for as long as the partition is held.
func (s *space) grew(owner identity.ID, nodes int) {
	if nodes > s.p.maxNodes && !s.large[owner] {
		s.large[owner] = true
		s.p.out.Large = append(s.p.out.Large, LargePerson{s.workspace, owner, nodes})
	}
}

// spend lets the greatest report of a key stand and posts the difference.
func (s *space) spend(e *event.Event) error {
	id := event.SpendKey(e)
	old, here := s.spends[id]
	if !here {
		var err error
		if old, err = s.store.Spend(id); err != nil {
			return err
		}
	}
	if old != nil && !journey.Restates(e, old) {
		if old.ID == e.ID && old.Content != e.Content {
			s.conflict(e)
		}
		return nil
	}
	p := s.posting(e.Key())
	if old != nil {
		p.Spends = append(p.Spends, journey.SpendRow(old, -1, s.rules.Rules))
	}
	p.Spends = append(p.Spends, journey.SpendRow(e, 1, s.rules.Rules))
	s.spends[id] = e.Keep()
	s.emit(p)
	return nil
}

// changes are the changelog's records of what is not committed yet.
func (s *space) changes(out []state.Record, a *state.Arena) ([]state.Record, error) {
	before := len(out)
	d := s.machine.Dirty()
	for ref, e := range d.Entries {
		out = append(out, a.Entry(s.workspace, ref, e))
	}
	for p, is := range d.Members {
		out = append(out, a.Member(s.workspace, p, is))
	}
	for p, to := range d.Moved {
		out = append(out, a.Moved(s.workspace, p, to))
	}
	for ref, l := range d.Leases {
		out = append(out, a.Lease(s.workspace, ref, l))
	}
	for ref, c := range d.Calls {
		out = append(out, a.Call(s.workspace, ref, c))
	}
	for id, t := range d.Tasks {
		out = append(out, a.Task(s.workspace, id, t))
	}
	for stage, here := range d.Staged {
		out = append(out, a.Staged(s.workspace, stage, here))
	}
	for ref, m := range d.Waiting {
		out = append(out, a.Waiting(s.workspace, ref, m))
	}
	for id, e := range s.spends {
		out = append(out, a.Spend(s.workspace, id, e))
	}
	if len(out) > before && !s.wrote {
		config, err := s.stands()
		if err != nil {
			return nil, err
		}
		s.wrote = !bytes.Equal(config, s.rules.Config)
	}
	if s.wrote {
		out = append(out, a.Config(s.workspace, s.rules.Config))
	}
	return out, nil
}

// stands is the configuration that the committed facts were computed by.
func (s *space) stands() ([]byte, error) {
	if !s.known {
		config, err := s.store.Config()
		if err != nil {
			return nil, err
		}
		s.config, s.known = config, true
	}
	return s.config, nil
}

func (s *space) commit(cacheBytes int, now int64) {
	s.machine.Commit()
	s.machine.Age(now)
	s.machine.Shrink(cacheBytes)
	clear(s.spends)
	if s.wrote {
		s.config, s.wrote = s.rules.Config, false
	}
}

func (s *space) rollback() {
	s.machine.Rollback()
	clear(s.waiting)
	s.waiting = s.waiting[:0]
	clear(s.spends)
	s.wrote = false
}
