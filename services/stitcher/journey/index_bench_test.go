package journey

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// BenchmarkPut adds a visit to journeys of several lengths, and a change to a deal. The clock is the number of events, not a
// promise: work is counted by TestWorkOfAHugeJourney.
func BenchmarkPut(b *testing.B) {
	r := testRules()
	b.Run("new_visitor", func(b *testing.B) {
		b.ReportAllocs()
		e := visit("v", 1, "g")
		for b.Loop() {
			NewIndex(event.NodeID{1}, r).Put(&fact.Posting{}, e, Change{Cause: "s/v"})
		}
	})
	for _, n := range []int{5, 100, 200_000} {
		b.Run(fmt.Sprintf("visit_to_%d", n), func(b *testing.B) {
			b.ReportAllocs()
			x := NewIndex(event.NodeID{1}, r)
			for i := range n {
				x.Load(visit(fmt.Sprint("o", i), int64(i), "g"))
			}
			x.prepare()
			i := 0
			for b.Loop() {
				i++
				x.Put(&fact.Posting{}, visit(fmt.Sprint(i), rand.Int64N(int64(n)), "g"), Change{Cause: "s/v"})
			}
		})
	}
	b.Run("deal_of_5_touches", func(b *testing.B) {
		b.ReportAllocs()
		won := snapshot("d", 10, event.DealData{Status: ptr("won"), Amount: ptr(event.Money("10.00"))})
		for b.Loop() {
			x := NewIndex(event.NodeID{1}, r)
			for i := range 5 {
				x.Load(visit("v"+fmt.Sprint(i), int64(i), "g"))
			}
			x.Put(&fact.Posting{}, won, Change{Cause: "s/d"})
		}
	})
}
