package journey

import (
	"iter"
	"slices"
	"sync"

	"github.com/throughline-io/throughline/schemas/fact"
)

// ledger collects the entries of one posting: cells that cancel out are dropped, bookings and touchpoints stand once.
type ledger struct {
	*fact.Posting
	bookings    interned[fact.Booking]
	touchpoints interned[fact.Touchpoint]
	cells       []cell
	places      interned[[2]int] // booking and touchpoint of each cell
	share       sharing
	old         map[bookingKey]*booking
}

// cell is what one touch gets of one booking, under each model.
type cell [fact.NumberOfModels]amounts

type amounts struct{ count, revenue, cogs int64 }

// interned is values that stand once, in the order of their coming.
type interned[T comparable] struct {
	list  []T
	index map[T]int
}

// fewInterned is how many values are looked through.
const fewInterned = 16

func (n *interned[T]) at(v T) int {
	if n.index == nil {
		for i := range n.list {
			if n.list[i] == v {
				return i
			}
		}
	} else if i, ok := n.index[v]; ok {
		return i
	}
	n.list = append(n.list, v)
	switch {
	case n.index != nil:
		n.index[v] = len(n.list) - 1
	case len(n.list) > fewInterned:
		n.index = make(map[T]int, 2*fewInterned)
		for i, old := range n.list {
			n.index[old] = i
		}
	}
	return len(n.list) - 1
}

// mostCells is how many cells' memory a ledger keeps.
const mostCells = 2_000

// ledgers are used again: there is one for each event that books or is booked on.
var ledgers = sync.Pool{New: func() any { return new(ledger) }}

// newLedger collects into p, in the room that p has.
func newLedger(p *fact.Posting) *ledger {
	l, ok := ledgers.Get().(*ledger)
	if !ok {
		l = &ledger{}
	}
	l.Posting = p
	l.bookings.list, l.touchpoints.list = p.Bookings[:0], p.Touchpoints[:0]
	return l
}

// done gives the ledger back; what it collected is the posting's.
func (l *ledger) done() {
	l.Posting = nil
	l.bookings, l.touchpoints = interned[fact.Booking]{}, interned[fact.Touchpoint]{}
	l.places = interned[[2]int]{list: emptied(l.places.list)}
	l.cells = emptiedTo(l.cells, mostCells)
	clear(l.old)
	ledgers.Put(l)
}

// diff posts the bookings that came, went or changed.
func (l *ledger) diff(before, after []*Facts, why Change) {
	if l.old == nil {
		l.old = map[bookingKey]*booking{}
	}
	for old, now := range pairs(before, after, l.old) {
		l.pair(old, now, why)
	}
	l.finish()
}

// pairs are the bookings before and after that are the same conversion's, in an order that depends on nothing else; nil where there is
// none. Old is an empty map to work in.
func pairs(before, after []*Facts, old map[bookingKey]*booking) iter.Seq2[*booking, *booking] {
	return func(yield func(old, now *booking) bool) {
		for b := range each(before) {
			// Two persons can hold one key only where a sender gave one event id to two events; both are taken back.
			if twin := old[b.key]; twin != nil && !yield(twin, nil) {
				return
			}
			old[b.key] = b
		}
		for a := range each(after) {
			b := old[a.key]
			delete(old, a.key)
			if !yield(b, a) {
				return
			}
		}
		for b := range each(before) {
			if old[b.key] == b && !yield(b, nil) {
				return
			}
		}
	}
}

// pair posts what became of a booking.
func (l *ledger) pair(old, now *booking, why Change) {
	switch {
	case now == nil:
		l.post(old, -1, why.orElse(fact.CauseLate))
		return
	case old != nil && old.same(now):
		return
	}
	t := now.causeType(old, why)
	if old != nil {
		l.post(old, -1, t)
	}
	l.post(now, +1, t)
}

func booked(fs []*Facts) bool {
	for _, f := range fs {
		if len(f.bookings) > 0 {
			return true
		}
	}
	return false
}

func each(fs []*Facts) iter.Seq[*booking] {
	return func(yield func(*booking) bool) {
		for _, f := range fs {
			for i := range f.bookings {
				if !yield(&f.bookings[i]) {
					return
				}
			}
		}
	}
}

func (w Change) orElse(t fact.CauseType) fact.CauseType {
	if w.Type != 0 {
		return w.Type
	}
	return t
}

// causeType is why booking b is posted where old stood (nil: nothing did).
func (b *booking) causeType(old *booking, why Change) fact.CauseType {
	byItself := b.key.event == why.Cause || b.key.conversion != fact.Sale
	switch {
	case why.Type != 0:
		return why.Type
	case old != nil && (old.revenue != b.revenue || old.cogs != b.cogs):
		return fact.CauseEdit
	case old != nil || !byItself:
		return fact.CauseLate
	case b.count < 0:
		return fact.CauseReversal
	case b.count == 0:
		return fact.CauseEdit
	}
	return fact.CauseNew
}

func (l *ledger) post(b *booking, sign int64, t fact.CauseType) {
	row := b.row
	row.CauseType = t
	at := l.bookings.at(row)
	if len(b.window) == 0 {
		c := &l.cells[l.cell(at, b.nowhere())]
		for m := range c {
			c[m].add(sign, amounts{b.count * oneConversion, b.revenue, b.cogs})
		}
		return
	}
	s := &l.share
	s.prepare(b)
	s.cells = s.cells[:0]
	for _, t := range b.window {
		s.cells = append(s.cells, l.cell(at, t.Touchpoint))
	}
	for m := fact.FirstTouch; m <= fact.WShaped; m++ {
		s.by(m, b)
		for i, c := range s.cells {
			l.cells[c][m-fact.FirstTouch].add(sign, s.part(i))
		}
	}
}

// cell finds the cell of a booking and a touchpoint, or makes it.
func (l *ledger) cell(booking int, t fact.Touchpoint) int {
	i := l.places.at([2]int{booking, l.touchpoints.at(t)})
	if i == len(l.cells) {
		l.cells = append(l.cells, cell{})
	}
	return i
}

func (a *amounts) add(sign int64, b amounts) {
	a.count += sign * b.count
	a.revenue += sign * b.revenue
	a.cogs += sign * b.cogs
}

// finish writes what did not cancel out.
func (l *ledger) finish() {
	n := 0
	for i := range l.cells {
		for _, a := range l.cells[i] {
			if a != (amounts{}) {
				n++
			}
		}
	}
	if n == 0 {
		return
	}
	l.Bookings, l.Touchpoints = l.bookings.list, l.touchpoints.list
	l.Credits = slices.Grow(l.Credits[:0], n)
	for i := range l.cells {
		at := l.places.list[i]
		for m, a := range l.cells[i] {
			if a != (amounts{}) {
				l.Credits = append(l.Credits, fact.Credit{
					Booking: at[0], Touch: at[1], Model: fact.FirstTouch + fact.Model(m), Conversions: a.count, Revenue: a.revenue, CostOfGoods: a.cogs,
				})
			}
		}
	}
}
