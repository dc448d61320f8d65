package journey

import (
	"cmp"
	"slices"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Index is a person's journey, kept so that a change costs what it changes: a touch that no conversion's window covers the
// logarithm of the journey, anything else the touches of the windows that it changes. What it posts is what Diff would, of the
// whole journey before and after.
//
// It is not safe for concurrent use, and nothing of it can be undone: whoever must go back throws it away and makes it anew
// from the events.
type Index struct {
	units
	events  eventSet
	matches map[string]Match // by the call's key
	later   deferred
	*prepared
}

// prepared is what changes are computed from. An index that is only filled needs none of it, nor do visits that lead to nothing.
type prepared struct {
	touches   sorted[*fact.Touch]
	inquiries sorted[*inquiry]
	deals     map[string]*ownDeal
	spans     sorted[*ownDeal] // deals by the end of their last window
	longest   int64            // from the start of a deal's first window to the end of its last, at most
	platforms map[string]*platform
	nodes     []fact.IdentityRow // in no order
	known     map[event.NodeID]struct{}
}

// inquiry is one with its one booking.
type inquiry struct {
	row fact.InquiryRow
	booking
}

// ownDeal is a deal with its events.
type ownDeal struct {
	*deal
	events   []*event.Event
	from, to int64 // what its windows cover together
}

// NewIndex makes a journey without events.
func NewIndex(person event.NodeID, r *Rules) *Index { return &Index{units: units{person, r}} }

// Person is whose journey it is.
func (x *Index) Person() event.NodeID { return x.person }

// Len is how many events it has.
func (x *Index) Len() int { return x.events.len() }

// Load adds an event whose facts are posted already.
func (x *Index) Load(e *event.Event) {
	x.events.add(e)
	x.prepared = nil
}

// LoadMatch adds what is known of a pool call already.
func (x *Index) LoadMatch(call string, m Match) {
	if x.matches == nil {
		x.matches = map[string]Match{}
	}
	x.matches[call] = m
}

// Facts is the whole of what the journey implies.
func (x *Index) Facts() *Facts {
	return Of(x.journey(), x.rules)
}

func (x *Index) journey() Journey {
	return Journey{Person: x.person, Events: x.events.list(), Matches: x.matches}
}

// Sizes in memory, about.
const (
	indexBytes = 400
	eventBytes = 450
)

// Size is about how many bytes the journey takes beside its events.
func (x *Index) Size() int { return indexBytes + eventBytes*x.events.len() }

// prepare builds what changes are computed from, as it is before what is deferred.
func (x *Index) prepare() {
	if x.prepared != nil {
		return
	}
	x.prepared = &prepared{}
	if x.events.len() == len(x.later.events) {
		return
	}
	events := slices.DeleteFunc(x.events.list(), x.later.has)
	slices.SortFunc(events, compareEvents)
	c := change{Index: x, building: true}
	for _, e := range events {
		c.add(e)
	}
	c.settle(c.changedDeals())
}

func compareEvents(a, b *event.Event) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), compareKeys(a, b))
}

// window is that of the contract; the cost is its length.
func (x *Index) window(start, end int64) []*fact.Touch {
	return windowOf(&x.touches, x.rules, start, end)
}

func windowOf(touches *sorted[*fact.Touch], rules *Rules, start, end int64) []*fact.Touch {
	from, to := start-rules.Lookback, end
	lo := touches.find(func(t *fact.Touch) bool { return t.Time < from })
	hi := touches.find(func(t *fact.Touch) bool { return t.Time <= to })
	if lo.chunk > hi.chunk || lo.chunk == hi.chunk && lo.at >= hi.at {
		return nil
	}
	n, limit := touches.count(lo, hi), rules.MaxTouches
	if n <= limit {
		return touches.appendFrom(make([]*fact.Touch, 0, n), lo, hi)
	}
	first, _ := touches.get(lo)
	out := append(make([]*fact.Touch, 0, limit), first)
	return touches.appendFrom(out, touches.back(hi, limit-1), hi)
}
