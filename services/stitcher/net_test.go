package stitcher

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// line is a ledger entry, whatever caused it.
type line struct {
	workspace  string
	booking    fact.Booking
	touchpoint fact.Touchpoint
	model      fact.Model
}

// linesOf sums the credits of postings.
func linesOf(postings []*fact.Posting) map[line][3]int64 {
	out := map[line][3]int64{}
	for _, p := range postings {
		for _, c := range p.Credits {
			b := p.Bookings[c.Booking]
			b.CauseType = 0
			l := line{p.Workspace, b, p.Touchpoints[c.Touch], c.Model}
			sum := out[l]
			out[l] = [3]int64{sum[0] + c.Conversions, sum[1] + c.Revenue, sum[2] + c.CostOfGoods}
			if out[l] == [3]int64{} {
				delete(out, l)
			}
		}
	}
	return out
}

func point(n int) fact.Touchpoint {
	return fact.Touchpoint{ID: fmt.Sprint("site/", n), Time: int64(n), Tuple: fact.Tuple{Channel: "Direct", Source: "(direct)"}}
}

func copied(p *fact.Posting) *fact.Posting {
	c := *p
	c.Bookings, c.Touchpoints, c.Credits = slices.Clone(p.Bookings), slices.Clone(p.Touchpoints), slices.Clone(p.Credits)
	return &c
}

// TestNettingKeepsSums nets random postings: each entry's sum stays, each entry stands once, and nothing is written that is zero.
func TestNettingKeepsSums(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		var n netting
		var all []*fact.Posting
		for i := range 1 + rnd.IntN(12) {
			p := &fact.Posting{Workspace: fmt.Sprint("w", rnd.IntN(2)), Cause: fmt.Sprint("s/", rnd.IntN(8)), RecordedAt: 7}
			for range rnd.IntN(4) {
				p.Bookings = append(p.Bookings, fact.Booking{
					CauseType: fact.CauseType(1 + rnd.IntN(7)), Conversion: fact.Sale, ID: fmt.Sprint("d", rnd.IntN(3)), BookedTime: int64(rnd.IntN(2)),
				})
			}
			for k := range 20 {
				p.Touchpoints = append(p.Touchpoints, point(k))
			}
			for range rnd.IntN(60) * min(1, len(p.Bookings)) {
				p.Credits = append(p.Credits, fact.Credit{
					Booking: rnd.IntN(len(p.Bookings)), Touch: rnd.IntN(20), Model: fact.FirstTouch + fact.Model(rnd.IntN(fact.NumberOfModels)),
					Conversions: int64(rnd.IntN(3) - 1), Revenue: int64(rnd.IntN(3) - 1), CostOfGoods: int64(rnd.IntN(3) - 1),
				})
			}
			if rnd.IntN(3) == 0 {
				p.Touches = []fact.Touch{{Sign: 1, Touchpoint: point(i)}}
			}
			all = append(all, copied(p))
			if !p.Empty() {
				n.add(p)
			}
		}
		got := n.sum()
		want := linesOf(all)
		if sums := linesOf(got); len(sums) != len(want) {
			t.Fatalf("round %d: %d entries, want %d", round, len(sums), len(want))
		} else {
			for l, sum := range want {
				if sums[l] != sum {
					t.Fatalf("round %d: %v is %v, want %v", round, l, sums[l], sum)
				}
			}
		}
		credits, touches := 0, 0
		for _, p := range got {
			if p.Empty() || p.RecordedAt != 7 {
				t.Fatalf("round %d: posting %+v", round, p)
			}
			credits, touches = credits+len(p.Credits), touches+len(p.Touches)
		}
		before := 0
		for _, p := range all {
			before += len(p.Touches)
		}
		if credits != len(want) || touches != before {
			t.Fatalf("round %d: %d credits for %d entries, %d touches of %d", round, credits, len(want), touches, before)
		}
		if again := linesOf(n.sum()); len(again) != len(want) {
			t.Fatalf("round %d: asked again, %d entries of %d", round, len(again), len(want))
		}
	}
}

// TestNettingCauses: a sale and three visits that come after it in one transaction are one posting of the sale; what stood before is
// moved by the last of them; what came and went is not told at all.
func TestNettingCauses(t *testing.T) {
	sale := fact.Booking{Person: event.NodeID{1}, Conversion: fact.Sale, ID: "crm/1"}
	stood := fact.Booking{Person: event.NodeID{1}, Conversion: fact.Sale, ID: "crm/0"}
	posting := func(cause string, why fact.CauseType, b fact.Booking, credits ...int64) *fact.Posting {
		b.CauseType = why
		p := &fact.Posting{Workspace: "w", Cause: cause, Bookings: []fact.Booking{b}}
		for i, c := range credits {
			p.Touchpoints = append(p.Touchpoints, point(i))
			if c != 0 {
				p.Credits = append(p.Credits, fact.Credit{Touch: i, Model: fact.Linear, Revenue: c})
			}
		}
		return p
	}
	var n netting
	n.add(posting("crm/won", fact.CauseNew, sale, 600))
	n.add(posting("site/1", fact.CauseLate, sale, -300, 300))
	n.add(posting("site/1", fact.CauseLate, stood, -50, 50))
	n.add(posting("site/2", fact.CauseLate, sale, -100, -100, 200))
	n.add(posting("site/2", fact.CauseLate, stood, -10, -40, 50))
	n.add(posting("site/3", fact.CauseLate, fact.Booking{ID: "gone"}, 5))
	n.add(posting("site/4", fact.CauseLate, fact.Booking{ID: "gone"}, -5))
	var got []string
	for _, p := range n.sum() {
		for _, c := range p.Credits {
			got = append(got, fmt.Sprintf("%s %s %d %s %d", p.Cause, p.Bookings[c.Booking].ID, p.Bookings[c.Booking].CauseType, p.Touchpoints[c.Touch].ID, c.Revenue))
		}
	}
	want := []string{
		"crm/won crm/1 1 site/0 200", "crm/won crm/1 1 site/1 200", "crm/won crm/1 1 site/2 200",
		"site/2 crm/0 2 site/0 -60", "site/2 crm/0 2 site/1 10", "site/2 crm/0 2 site/2 50",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
