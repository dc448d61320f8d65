package numbers

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/throughline-io/throughline/schemas/event"
)

func visitor(n int) event.NodeID { return event.NodeID{byte(n >> 8), byte(n), 1} }

const hold = 10 * time.Minute

func TestPool(t *testing.T) {
	type ask struct {
		visitor int
		minute  float64
		number  string // what must be shown; empty: none
		fresh   bool
		demand  int
	}
	for _, row := range []struct {
		name string
		asks []ask
	}{
		{"each visitor has one", []ask{{1, 0, "a", true, 1}, {2, 0, "b", true, 2}}},
		{"the same visitor keeps it", []ask{{1, 0, "a", true, 1}, {1, 0.5, "a", false, 0}, {1, 5, "a", true, 0}, {1, 40, "a", true, 1}}},
		{"none is taken from who may call", []ask{{1, 0, "a", true, 1}, {2, 0, "b", true, 2}, {3, 10.9, "", false, 3}, {3, 11, "a", true, 0}}},
		{"a renewed one is not taken either", []ask{{1, 0, "a", true, 1}, {2, 0, "b", true, 2}, {1, 9, "a", true, 0}, {3, 12, "b", true, 2}, {4, 12, "", false, 3}}},
		{"who found none is counted once", []ask{{1, 0, "a", true, 1}, {2, 0, "b", true, 2}, {3, 1, "", false, 3}, {3, 2, "", false, 0}, {4, 2, "", false, 4}}},
		{"the one that rested longest is given", []ask{{1, 0, "a", true, 1}, {2, 1, "b", true, 2}, {1, 15, "a", true, 1}, {3, 30, "b", true, 1}}},
		{"who lost it to another gets another", []ask{{1, 0, "a", true, 1}, {2, 0, "b", true, 2}, {3, 20, "a", true, 1}, {1, 20, "b", true, 2}, {2, 21, "", false, 3}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := New([]string{"a", "b"}, hold)
			for i, a := range row.asks {
				got := p.Ask(visitor(a.visitor), int64(a.minute*60_000))
				if got.Number != a.number || got.New != a.fresh || got.Demand != a.demand {
					t.Fatalf("ask %d: %+v, want %+v", i, got, a)
				}
			}
		})
	}
}

func TestANumberThatWasTakenOut(t *testing.T) {
	p := New([]string{"b"}, hold)
	p.Restore(Lease{"a", visitor(1), 1 << 40})
	if got := p.Ask(visitor(1), 0); got.Number != "b" {
		t.Errorf("%+v: a number that is not in the configuration is shown", got)
	}
}

// Whatever comes, nobody's number is shown to another before its time, and what a restart brings back is the same pool.
func TestNobodysNumberIsGivenAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "numbers")
		var all []string
		for i := range n {
			all = append(all, fmt.Sprint("n", i))
		}
		p := New(all, hold)
		promised := map[string]Lease{} // by number: what a visitor was told last
		written := map[string]Lease{}
		var now int64
		for range rapid.IntRange(1, 200).Draw(t, "asks") {
			now += rapid.Int64Range(0, hold.Milliseconds()/2).Draw(t, "pause")
			if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
				p = New(all, hold)
				for _, l := range written {
					p.Restore(l)
				}
			}
			v := visitor(rapid.IntRange(0, 2*n).Draw(t, "visitor"))
			a := p.Ask(v, now)
			if a.New {
				written[a.Number] = a.Lease
			}
			if a.Number == "" {
				for _, number := range all {
					if promised[number].Until <= now {
						t.Fatalf("%s is free and was not given", number)
					}
				}
				continue
			}
			if last := promised[a.Number]; last.Visitor != v && last.Until > now {
				t.Fatalf("%s is %v's until %d and was given to %v at %d", a.Number, last.Visitor, last.Until, v, now)
			}
			if a.Until-now < hold.Milliseconds() {
				t.Fatalf("held for %d ms only", a.Until-now)
			}
			promised[a.Number] = a.Lease
		}
	})
}

func TestEnough(t *testing.T) {
	var h Hour
	for i := range 1000 {
		h.Count(Answer{Lease: Lease{Number: "a"}, Demand: 1 + i/100}) // a hundred visitors at each of 1 to 10
	}
	h.Count(Answer{})
	h.Add(Hour{Visitors: 1, Dry: 1, Demand: map[int]int{40: 1}})
	for part, want := range map[float64]int{0.5: 6, 0.99: 10, 0.999: 10, 1: 40} {
		if got := h.Enough(part); got != want {
			t.Errorf("%d numbers for %v of the visitors, want %d", got, part, want)
		}
	}
	if h.Visitors != 1001 || h.Dry != 1 {
		t.Errorf("%+v", h)
	}
}
