package stitcher

import (
	"flag"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

var indexWorlds = flag.Int("index-worlds", 1500, "random worlds to play on indexes")

// crowd is an index beside the plain set of what was put into it.
type crowd struct {
	index   *journey.Index
	events  []*event.Event
	matches map[string]journey.Match
}

func (c *crowd) facts(r *journey.Rules) *journey.Facts {
	return journey.Of(journey.Journey{Person: c.index.Person(), Events: c.events, Matches: c.matches}, r)
}

// reload makes the index anew, as after it has left the cache.
func (c *crowd) reload(r *journey.Rules) {
	c.index = journey.NewIndex(c.index.Person(), r)
	for _, e := range c.events {
		c.index.Load(e)
	}
	for call, m := range c.matches {
		c.index.LoadMatch(call, m)
	}
}

// TestIndexPostsWhatDiffWould puts random events in random order into a few journeys, says and takes back what is known of calls,
// and merges: every posting must be, cause by cause, the difference of the pure function before and after.
func TestIndexPostsWhatDiffWould(t *testing.T) {
	if testing.Short() {
		*indexWorlds = 200
	}
	credits, merges := 0, 0
	for seed := range uint64(*indexWorlds) {
		w := newWorld(seed)
		rnd := rand.New(rand.NewPCG(seed, 7))
		events := slices.DeleteFunc(slices.Clone(w.events), func(e *event.Event) bool { return e.Type == event.Spend })
		rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		r := w.rules.Rules
		var crowds []*crowd
		for i := range 1 + rnd.IntN(3) {
			crowds = append(crowds, &crowd{index: journey.NewIndex(event.NodeID{byte(i + 1)}, r), matches: map[string]journey.Match{}})
		}
		for _, e := range events {
			c := crowds[rnd.IntN(len(crowds))]
			if rnd.IntN(6) == 0 {
				c.reload(r)
			}
			before, got := c.facts(r), &fact.Posting{}
			why := journey.Change{Cause: e.Key()}
			if e.Type == event.Call && rnd.IntN(3) > 0 { // maybe before the call has come, or to another than has it
				m := journey.Match{State: journey.MatchState(rnd.IntN(3)), Visitor: event.NodeID{9}}
				c.matches[e.Key()] = m
				c.index.SetMatch(got, e.Key(), m, why)
				same(t, seed, "match", got, before, c.facts(r), why)
				before, got = c.facts(r), &fact.Posting{}
			}
			c.events = append(c.events, e)
			c.index.Put(got, e, why)
			same(t, seed, "put", got, before, c.facts(r), why)
			credits += len(got.Credits)
			if len(crowds) > 1 && rnd.IntN(25) == 0 {
				merge(t, seed, rnd, crowds[0], crowds[1], r)
				crowds = slices.Delete(crowds, 1, 2)
				merges++
			}
		}
	}
	if credits == 0 || merges == 0 {
		t.Error("the worlds are too tame to prove anything")
	}
	t.Logf("%d worlds, %d merges, %d credits", *indexWorlds, merges, credits)
}

// merge moves b to a; some events stand in both.
func merge(t *testing.T, seed uint64, rnd *rand.Rand, a, b *crowd, r *journey.Rules) {
	for _, e := range a.events {
		if rnd.IntN(10) == 0 {
			b.events = append(b.events, e)
		}
	}
	b.reload(r)
	before := []*journey.Facts{a.facts(r), b.facts(r)}
	had, gave := *a, *b
	had.events, had.matches = slices.Clone(a.events), maps.Clone(a.matches)
	for _, e := range b.events {
		if !slices.Contains(a.events, e) {
			a.events = append(a.events, e)
		}
	}
	for call, m := range b.matches {
		if _, known := a.matches[call]; !known {
			a.matches[call] = m
		}
	}
	got, want, why := &fact.Posting{}, &fact.Posting{}, journey.Change{Cause: "x/1", Type: fact.CauseMerge}
	a.index.Merge(got, b.index, why)
	journey.Diff(want, before, []*journey.Facts{a.facts(r)}, why)
	compare(t, seed, "merge", got, want)
	had.reload(r)
	gave.reload(r)
	steps := inSteps(rnd, func() *journey.Steps { // each time as it was read from the disk
		had.reload(r)
		gave.reload(r)
		return had.index.MergeInSteps(gave.index, why)
	})
	compareAll(t, seed, "merge in steps", steps, want)
	steps = inSteps(rnd, func() *journey.Steps {
		return journey.DiffInSteps([]*journey.Index{reloaded(had, r), reloaded(gave, r)}, []*journey.Index{reloaded(*a, r)}, why)
	})
	compareAll(t, seed, "difference in steps", steps, want)
}

func reloaded(c crowd, r *journey.Rules) *journey.Index {
	c.reload(r)
	return c.index
}

// inSteps posts a difference a little at a time, now and then from a new start.
func inSteps(rnd *rand.Rand, make func() *journey.Steps) (out []*fact.Posting) {
	for steps := make(); ; {
		p := &fact.Posting{}
		done, all := steps.Post(p, 1+rnd.IntN(20))
		if out = append(out, p); all {
			return out
		}
		if rnd.IntN(3) == 0 {
			steps = make()
			steps.Skip(done)
		}
	}
}

func same(t *testing.T, seed uint64, step string, got *fact.Posting, before, after *journey.Facts, why journey.Change) {
	t.Helper()
	want := &fact.Posting{}
	journey.Diff(want, []*journey.Facts{before}, []*journey.Facts{after}, why)
	compare(t, seed, step, got, want)
}

func compare(t *testing.T, seed uint64, step string, got, want *fact.Posting) {
	t.Helper()
	compareAll(t, seed, step, []*fact.Posting{got}, want)
}

func compareAll(t *testing.T, seed uint64, step string, got []*fact.Posting, want *fact.Posting) {
	t.Helper()
	g, w := newSums(), newSums()
	g.causes, w.causes = true, true
	for _, p := range got {
		g.add(p)
	}
	w.add(want)
	if d := difference(g.ledger, w.ledger) + difference(g.rows, w.rows); d != "" {
		t.Fatalf("seed %d: %s: %s", seed, step, d)
	}
}
