package stitcher

import (
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/identity"
	"github.com/throughline-io/throughline/services/stitcher/journey"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// people is what the identity machine asks of journeys, by some rules.
type people struct {
	s     *space
	rules *journey.Rules
}

// NewPerson makes a journey without events.
func (q people) NewPerson(owner identity.ID) *journey.Index { return journey.NewIndex(owner, q.rules) }

// Load adds an entry whose facts are posted.
func (q people) Load(x *journey.Index, e *identity.Entry) {
	switch {
	case e.Event != nil:
		x.Load(e.Event)
	case e.Match != nil:
		x.LoadMatch(identity.CallOf(e.Key), matchOf(e))
	}
}

// Put posts what an entry changes: of an event with all else that the transaction changes of the person.
func (q people) Put(kind identity.Change, cause string, x *journey.Index, _, e *identity.Entry) {
	switch {
	case e.Event != nil:
		q.s.defers(x)
		x.Defer(e.Event, cause)
	case e.Match != nil:
		q.s.settle(x)
		p := q.s.posting(cause)
		x.SetMatch(p, identity.CallOf(e.Key), matchOf(e), change(kind, cause))
		q.s.emit(p)
	}
}

// Merge posts what changes when two people become one, with all else that the transaction changes of them.
func (q people) Merge(cause string, x, from *journey.Index) {
	q.s.settle(from)
	q.s.defers(x)
	if x.DeferMerge(from, cause) {
		return
	}
	q.s.settle(x)
	p := q.s.posting(cause)
	x.Merge(p, from, change(identity.Merged, cause))
	q.s.emit(p)
}

// Post posts facts(after) − facts(before).
func (q people) Post(kind identity.Change, cause string, before, after []*journey.Index) {
	q.s.settle(before...)
	q.s.settle(after...)
	p := q.s.posting(cause)
	journey.Diff(p, facts(before), facts(after), change(kind, cause))
	q.s.emit(p)
}

// MergeInSteps is Merge, posted in steps.
func (q people) MergeInSteps(cause string, x, from *journey.Index) identity.Posting {
	q.s.settle(x, from)
	return posting{q.s, cause, x.MergeInSteps(from, change(identity.Merged, cause))}
}

// PostInSteps is Post, posted in steps.
func (q people) PostInSteps(kind identity.Change, cause string, before, after []*journey.Index) identity.Posting {
	q.s.settle(before...)
	q.s.settle(after...)
	return posting{q.s, cause, journey.DiffInSteps(before, after, change(kind, cause))}
}

// posting is a difference that is posted in steps.
type posting struct {
	s     *space
	cause string
	steps *journey.Steps
}

func (p posting) Skip(done int) { p.steps.Skip(done) }

func (p posting) Post(cost int) (int, bool) {
	out := p.s.posting(p.cause)
	done, all := p.steps.Post(out, cost)
	p.s.emit(out)
	return done, all
}

// Bytes is what an entry takes in a message.
func (q people) Bytes(e *identity.Entry) int {
	q.s.scratch = state.AppendEntry(q.s.scratch[:0], e)
	return len(q.s.scratch) + fieldBytes
}

// fieldBytes is at least what stands before an entry in a message.
const fieldBytes = 8

// Here reports that a node is of this partition.
func (q people) Here(id identity.ID) bool { return q.s.p.home(id) == q.s.p.id }

// Size is what a journey takes of memory.
func (q people) Size(x *journey.Index) int { return x.Size() }

func facts(all []*journey.Index) []*journey.Facts {
	out := make([]*journey.Facts, len(all))
	for i, x := range all {
		out[i] = x.Facts()
	}
	return out
}

func change(kind identity.Change, cause string) journey.Change {
	why := journey.Change{Cause: cause}
	switch kind {
	case identity.Merged:
		why.Type = fact.CauseMerge
	case identity.Parted:
		why.Type = fact.CauseSplit
	case identity.Changed:
	}
	return why
}

func matchOf(e *identity.Entry) journey.Match {
	return journey.Match{State: journey.MatchState(e.Match.State), Visitor: e.Match.Visitor}
}

// Grew counts people with many nodes, and says so once of each.
func (q people) Grew(owner identity.ID, nodes int) { q.s.grew(owner, nodes) }

// Pool says whether a number's node is of a pool by the rules of today.
func (q people) Pool(number identity.ID) bool { return q.s.pool[number] }

// Conflict posts that an event counts for nothing because its id was taken.
func (q people) Conflict(e *identity.Entry) { q.s.conflict(e.Event) }

// Stored tells the number's node of a lease or a call, once it is part of a journey.
func (q people) Stored(e *identity.Entry) { q.s.stored(e) }

// Send passes a message on: here at once, or to another partition with the transaction.
func (q people) Send(m identity.Message) { q.s.send(m) }
