package journey

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Batch is the second path of the audit: all events of a workspace at once, in any order, no key twice. It joins
// people and matches calls from scratch, by other means than the stitcher's protocol, and returns what must stand.
func Batch(events []*event.Event, r *Rules) *fact.Posting {
	matches := matchCalls(events, r)
	people := newForest()
	for _, e := range events {
		for _, n := range e.Nodes {
			people.join(e.Nodes[0].ID, n.ID)
		}
		if m := matches[e.Key()]; m.State == Matched {
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
			j = &Journey{Person: who, Matches: matches}
			journeys[who] = j
		}
		j.Events = append(j.Events, e)
	}
	p := &fact.Posting{Workspace: r.Workspace, Cause: "audit"}
	all := make([]*Facts, 0, len(journeys))
	for _, j := range journeys {
		all = append(all, Of(*j, r))
	}
	slices.SortFunc(all, func(a, b *Facts) int { return bytes.Compare(a.Person[:], b.Person[:]) })
	Diff(p, nil, all, Change{Type: fact.CauseRebuild})
	for _, e := range standing {
		p.Spends = append(p.Spends, SpendRow(e, 1, r))
	}
	slices.SortFunc(p.Spends, func(a, b fact.SpendRow) int { return cmp.Compare(a.EventID, b.EventID) })
	return p
}

// matchCalls finds, for every inbound call to a pool number, the visitors that held the number at its time.
func matchCalls(events []*event.Event, r *Rules) map[string]Match {
	leases := map[string][]*event.Event{}
	for _, e := range events {
		if e.Type == event.NumberLease {
			leases[e.Lease.Number] = append(leases[e.Lease.Number], e)
		}
	}
	out := map[string]Match{}
	for _, e := range events {
		if !PoolCall(e, r) {
			continue
		}
		m := Match{}
		for _, l := range leases[e.Call.Company] {
			if e.Time < l.Time || e.Time >= l.Lease.Until {
				continue
			}
			switch {
			case m.State == Unmatched:
				m = Match{Matched, l.Lease.Visitor}
			case m.Visitor != l.Lease.Visitor:
				m.State = Ambiguous
			}
		}
		if m.State == Ambiguous {
			m.Visitor = event.NodeID{}
		}
		if m.State != Unmatched {
			out[e.Key()] = m
		}
	}
	return out
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
