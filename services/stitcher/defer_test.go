package stitcher

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

// settled is what a journey posts of what was deferred, and the causes that it gives.
func settled(x *journey.Index) (out []*fact.Posting) {
	x.Settle(func(cause string) *fact.Posting {
		p := &fact.Posting{Cause: cause}
		out = append(out, p)
		return p
	})
	return out
}

// TestDeferredIsTheDifference has random events and people come to a journey before anything of it is posted: what is then posted is the
// difference of the pure function, and every cause is of what has come.
func TestDeferredIsTheDifference(t *testing.T) {
	worlds := *indexWorlds / 2
	if testing.Short() {
		worlds = 100
	}
	types, merges := map[fact.CauseType]int{}, 0
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		rnd := rand.New(rand.NewPCG(seed, 11))
		events := slices.DeleteFunc(slices.Clone(w.events), func(e *event.Event) bool { return e.Type == event.Spend })
		rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		r := w.rules.Rules
		c := &crowd{index: journey.NewIndex(event.NodeID{1}, r), matches: map[string]journey.Match{}}
		before, came := []*journey.Facts{c.facts(r)}, map[string]bool{}
		settle := func() {
			got := settled(c.index)
			want := &fact.Posting{}
			journey.Diff(want, before, []*journey.Facts{c.facts(r)}, journey.Change{})
			g, m := newSums(), newSums()
			for _, p := range got {
				if !came[p.Cause] {
					t.Fatalf("seed %d: %q caused something and has not come", seed, p.Cause)
				}
				for _, b := range p.Bookings {
					types[b.CauseType]++
				}
				g.add(p)
			}
			m.add(want)
			if d := difference(g.ledger, m.ledger) + difference(g.rows, m.rows); d != "" {
				t.Fatalf("seed %d: %s", seed, d)
			}
			if c.index.Deferred() || len(settled(c.index)) > 0 {
				t.Fatalf("seed %d: something is still to be posted", seed)
			}
			before, came = []*journey.Facts{c.facts(r)}, map[string]bool{}
		}
		for len(events) > 0 {
			if rnd.IntN(8) > 0 {
				e := events[0]
				events = events[1:]
				came[e.Key()] = true
				c.index.Defer(e, e.Key())
				c.events = append(c.events, e)
			} else { // another person, of whom all is posted, becomes part of this one
				n := 1 + rnd.IntN(min(6, len(events)))
				o := &crowd{index: journey.NewIndex(event.NodeID{2}, r), events: slices.Clone(events[:n]), matches: map[string]journey.Match{}}
				events = events[n:]
				for _, e := range o.events {
					if e.Type == event.Call {
						o.matches[e.Key()] = journey.Match{State: journey.MatchState(rnd.IntN(3)), Visitor: event.NodeID{9}}
					}
				}
				if len(c.events) > 0 && rnd.IntN(4) == 0 {
					o.events = append(o.events, c.events[rnd.IntN(len(c.events))]) // it stands in both
				}
				o.reload(r)
				given := o.facts(r)
				if !c.index.DeferMerge(o.index, "merge/1") {
					t.Fatalf("seed %d: not merged", seed)
				}
				came["merge/1"] = true
				before = append(before, given)
				for _, e := range o.events {
					if !slices.Contains(c.events, e) {
						c.events = append(c.events, e)
					}
				}
				maps.Copy(c.matches, o.matches)
				merges++
			}
			if rnd.IntN(10) == 0 {
				settle()
			}
			if rnd.IntN(20) == 0 && !c.index.Deferred() {
				c.reload(r)
			}
		}
		settle()
	}
	for _, want := range []fact.CauseType{fact.CauseNew, fact.CauseLate, fact.CauseMerge, fact.CauseEdit, fact.CauseReversal} {
		if types[want] == 0 {
			t.Errorf("nothing was of cause type %d: %v", want, types)
		}
	}
	if merges == 0 {
		t.Error("the worlds are too tame to prove anything")
	}
}

// TestDeferredCauses names what a few events that come together are told to have caused.
func TestDeferredCauses(t *testing.T) {
	w := &world{rnd: rand.New(rand.NewPCG(1, 2)), rules: testRules(rand.New(rand.NewPCG(1, 1)))}
	w.rules.Lookback, w.rules.MaxTouches = 90*day, 1000
	who := node("anonymous_id", "a")
	visit := func(at int64) *event.Event {
		e := w.add(event.Visit, "site", who)
		e.Visit, e.Time = &event.VisitData{Origin: event.Origin{UTM: event.UTM{Source: "google", Medium: "cpc"}}}, at
		return e
	}
	deal := func(at int64, status, amount string) *event.Event {
		e := w.add(event.Deal, "crm", who)
		e.Deal, e.Time = &event.DealData{ID: "7", Status: ptr(status), Amount: ptr(event.Money(amount))}, at
		return e
	}
	x := journey.NewIndex(event.NodeID{1}, w.rules.Rules)
	put := func(events ...*event.Event) map[string]string {
		for _, e := range events {
			x.Defer(e, e.Key())
		}
		out := map[string]string{}
		for _, p := range settled(x) {
			for _, b := range p.Bookings {
				out[b.Conversion.String()+" "+b.CauseType.String()] += p.Cause
			}
		}
		return out
	}
	first, opened, won := visit(t0), deal(t0+day, "open", "10.00"), deal(t0+2*day, "won", "20.00")
	late, edited, lost := visit(t0+day/2), deal(t0+3*day, "won", "30.00"), deal(t0+4*day, "lost", "30.00")
	for _, row := range []struct {
		name   string
		events []*event.Event
		want   map[string]string
	}{
		{"all of it is new", []*event.Event{won, first, opened}, map[string]string{"deal new": opened.Key(), "sale new": won.Key()}},
		{"a late visit moves both", []*event.Event{late}, map[string]string{"deal late": late.Key(), "sale late": late.Key()}},
		{"an edit has a booking of its own", []*event.Event{edited}, map[string]string{"sale edit": edited.Key()}},
		{"a reversal too", []*event.Event{lost}, map[string]string{"sale reversal": lost.Key()}},
	} {
		got := put(row.events...)
		if !maps.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}
