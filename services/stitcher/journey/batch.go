package journey

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Recompute is the second path of the audit. It joins people and matches calls from scratch, by other means than the stitcher's
// protocol, and returns what must stand. It never needs all events: leases and calls are heard first, then come events of some
// people, each time all that they have.
type Recompute struct {
	rules   *Rules
	leases  map[string][]lease
	calls   map[string][]poolCall
	matches map[string]Match
	links   [][2]event.NodeID
}

// lease is what a match needs of one.
type lease struct {
	from, until int64
	visitor     event.NodeID
	several     bool
}

// poolCall is a call to a pool number.
type poolCall struct {
	at     int64
	key    string
	caller event.NodeID
}

// NewRecompute makes one that has heard nothing.
func NewRecompute(r *Rules) *Recompute {
	return &Recompute{rules: r, leases: map[string][]lease{}, calls: map[string][]poolCall{}}
}

// Hear takes an event in that may be a lease, or a call that a lease explains; others it passes over.
func (c *Recompute) Hear(e *event.Event) {
	switch {
	case e.Type == event.NumberLease:
		c.leases[e.Lease.Number] = append(c.leases[e.Lease.Number], lease{e.Time, e.Lease.Until, e.Lease.Visitor, e.Lease.Several})
	case PoolCall(e, c.rules):
		c.calls[e.Call.Company] = append(c.calls[e.Call.Company], poolCall{e.Time, e.Key(), e.Nodes[0].ID})
	}
}

// Match matches what was heard, and returns who is linked by it: callers and visitors.
func (c *Recompute) Match() [][2]event.NodeID {
	c.matches = map[string]Match{}
	for number, calls := range c.calls {
		c.matchNumber(calls, c.leases[number])
	}
	c.leases, c.calls = nil, nil
	return c.links
}

// matchNumber goes through a number's calls in time, with the leases that are held then.
func (c *Recompute) matchNumber(calls []poolCall, leases []lease) {
	slices.SortFunc(calls, func(a, b poolCall) int { return cmp.Compare(a.at, b.at) })
	slices.SortFunc(leases, func(a, b lease) int { return cmp.Compare(a.from, b.from) })
	var held []lease
	next := 0
	for _, call := range calls {
		for ; next < len(leases) && leases[next].from <= call.at; next++ {
			held = append(held, leases[next])
		}
		held = slices.DeleteFunc(held, func(l lease) bool { return l.until <= call.at })
		if len(held) == 0 {
			continue
		}
		m := Match{Matched, held[0].visitor}
		if slices.ContainsFunc(held, func(l lease) bool { return l.several || l.visitor != held[0].visitor }) {
			m = Match{State: Ambiguous}
		}
		if m.State == Matched {
			c.links = append(c.links, [2]event.NodeID{call.caller, m.Visitor})
		}
		c.matches[call.key] = m
	}
}

// Facts is what must stand of people and of keys of spend, all of whose events are here, in any order, no key twice.
func (c *Recompute) Facts(events []*event.Event) *fact.Posting {
	people := newForest()
	for _, e := range events {
		for _, n := range e.Nodes {
			people.join(e.Nodes[0].ID, n.ID)
		}
		if m := c.matches[e.Key()]; m.State == Matched {
			people.join(e.Nodes[0].ID, m.Visitor)
		}
	}
	journeys := map[event.NodeID]*Journey{}
	standing := map[SpendKey]*event.Event{}
	for _, e := range events {
		if e.Type == event.Spend {
			k := SpendKeyOf(e)
			if old := standing[k]; old == nil || Restates(e, old) {
				standing[k] = e
			}
			continue
		}
		who := people.find(e.Nodes[0].ID)
		j := journeys[who]
		if j == nil {
			j = &Journey{Person: who, Matches: c.matches}
			journeys[who] = j
		}
		j.Events = append(j.Events, e)
	}
	p := &fact.Posting{Workspace: c.rules.Workspace, Cause: "audit"}
	all := make([]*Facts, 0, len(journeys))
	for _, j := range journeys {
		all = append(all, Of(*j, c.rules))
	}
	slices.SortFunc(all, func(a, b *Facts) int { return bytes.Compare(a.Person[:], b.Person[:]) })
	Diff(p, nil, all, Change{Type: fact.CauseRebuild})
	for _, e := range standing {
		p.Spends = append(p.Spends, SpendRow(e, 1, c.rules))
	}
	slices.SortFunc(p.Spends, func(a, b fact.SpendRow) int { return cmp.Compare(a.EventID, b.EventID) })
	return p
}

// Batch is what must stand of all events at once.
func Batch(events []*event.Event, r *Rules) *fact.Posting {
	c := NewRecompute(r)
	for _, e := range events {
		c.Hear(e)
	}
	c.Match()
	return c.Facts(events)
}

// PoolCall reports that an event is a call that a lease may explain.
func PoolCall(e *event.Event, r *Rules) bool {
	return e.Type == event.Call && e.Call.Direction == event.In && r.Pool[e.Call.Company]
}

// forest is a union-find whose roots are the bytewise smallest ids.
type forest struct{ up map[event.NodeID]event.NodeID }

func newForest() forest { return forest{map[event.NodeID]event.NodeID{}} }

func (f forest) find(n event.NodeID) event.NodeID {
	for {
		up, ok := f.up[n]
		if !ok || up == n {
			return n
		}
		if top, ok := f.up[up]; ok {
			f.up[n] = top
		}
		n = up
	}
}

func (f forest) join(a, b event.NodeID) {
	a, b = f.find(a), f.find(b)
	switch bytes.Compare(a[:], b[:]) {
	case -1:
		f.up[b] = a
	case 1:
		f.up[a] = b
	}
}
