package journey

import (
	"github.com/throughline-io/throughline/schemas/fact"
)

// ledger collects the entries of one posting: cells that cancel out are dropped, bookings and touchpoints stand once.
type ledger struct {
	*fact.Posting
	bookings    map[fact.Booking]int
	touchpoints map[fact.Touchpoint]int
	entries     map[entryKey]int // index in Credits
}

type entryKey struct {
	booking, touch int
	model          fact.Model
}

// diff posts the bookings that came, went or changed.
func (l *ledger) diff(before, after []*Facts, why Change) {
	if !booked(before) && !booked(after) {
		return
	}
	old := map[bookingKey]*booking{}
	each(before, func(b *booking) {
		// Two persons can hold one key only where a sender gave one event id to two events; both are taken back.
		if twin := old[b.key]; twin != nil {
			l.post(twin, -1, why.orElse(fact.CauseLate))
		}
		old[b.key] = b
	})
	each(after, func(a *booking) {
		b := old[a.key]
		delete(old, a.key)
		if b != nil && b.same(a) {
			return
		}
		t := a.causeType(b, why)
		if b != nil {
			l.post(b, -1, t)
		}
		l.post(a, +1, t)
	})
	each(before, func(b *booking) {
		if old[b.key] == b {
			l.post(b, -1, why.orElse(fact.CauseLate))
		}
	})
	l.dropZeros()
}

func booked(fs []*Facts) bool {
	for _, f := range fs {
		if len(f.bookings) > 0 {
			return true
		}
	}
	return false
}

func each(fs []*Facts, do func(*booking)) {
	for _, f := range fs {
		for i := range f.bookings {
			do(&f.bookings[i])
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
	if l.bookings == nil {
		l.bookings, l.touchpoints, l.entries = map[fact.Booking]int{}, map[fact.Touchpoint]int{}, map[entryKey]int{}
	}
	row := b.row
	row.CauseType = t
	at := intern(l.bookings, &l.Bookings, row)
	for _, c := range b.cells() {
		key := entryKey{at, intern(l.touchpoints, &l.Touchpoints, b.touchpoint(c)), c.model}
		i, ok := l.entries[key]
		if !ok {
			i = len(l.Credits)
			l.entries[key] = i
			l.Credits = append(l.Credits, fact.Credit{Booking: key.booking, Touch: key.touch, Model: key.model})
		}
		e := &l.Credits[i]
		e.Conversions += sign * c.count
		e.Revenue += sign * c.revenue
		e.CostOfGoods += sign * c.cogs
	}
}

func intern[T comparable](index map[T]int, list *[]T, v T) int {
	i, ok := index[v]
	if !ok {
		i = len(*list)
		index[v] = i
		*list = append(*list, v)
	}
	return i
}

func (l *ledger) dropZeros() {
	kept := l.Credits[:0]
	for _, c := range l.Credits {
		if c.Conversions != 0 || c.Revenue != 0 || c.CostOfGoods != 0 {
			kept = append(kept, c)
		}
	}
	l.Credits = kept
	if len(kept) == 0 {
		l.Bookings, l.Touchpoints = nil, nil
	}
}
