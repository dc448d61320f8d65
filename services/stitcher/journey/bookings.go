package journey

import (
	"sort"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// booking is one posting of one conversion with the window of touches that share it.
type booking struct {
	// key tells bookings apart: two may fall into one millisecond, and each is shared on its own.
	key bookingKey
	// row is what the ledger says of it; its cause type is set when it is posted.
	row                  fact.Booking
	count, revenue, cogs int64
	window               window
	end                  int64
	facts                *Facts
	endDate              fact.Date
}

type bookingKey struct {
	conversion fact.Conversion
	id         string
	sale       int64  // start of the won interval
	event      string // key of the event that books
}

// window is the eligible touches of a conversion: touches[lo:hi], or, where they exceed max_touches, touches[head] and
// touches[lo:hi].
type window struct{ head, lo, hi int }

func (w window) len() int {
	if w.head >= 0 {
		return w.hi - w.lo + 1
	}
	return w.hi - w.lo
}

// at is the index in touches of the i-th eligible touch.
func (w window) at(i int) int {
	switch {
	case w.head < 0:
		return w.lo + i
	case i == 0:
		return w.head
	}
	return w.lo + i - 1
}

// window finds the touches in [start−lookback, end], both ends included.
func (b *builder) window(start, end int64) window {
	from := start - b.rules.Lookback
	lo := sort.Search(len(b.touches), func(i int) bool { return b.touches[i].Time >= from })
	hi := sort.Search(len(b.touches), func(i int) bool { return b.touches[i].Time > end })
	if limit := b.rules.MaxTouches; hi-lo > limit {
		return window{head: lo, lo: hi - (limit - 1), hi: hi}
	}
	return window{head: -1, lo: lo, hi: max(lo, hi)}
}

func (b *builder) bookInquiries() {
	for _, q := range b.inquiries {
		key := bookingKey{conversion: fact.Inquiry, id: q.ID}
		b.add(key, q.Time, q.Time, q.Time, q.Time, 1, 0, 0)
	}
}

// book adds a booking of a deal: its creation, or what an event changed of a won interval.
func (d *deal) book(e *event.Event, c fact.Conversion, end, booked, count, revenue, cogs int64) {
	key := bookingKey{conversion: c, id: d.id} // a creation is one, whichever event came first
	if c == fact.Sale {
		key.sale, key.event = end, e.Key()
	}
	d.add(key, min(d.created, end), end, d.created, booked, count, revenue, cogs)
}

func (b *builder) add(key bookingKey, start, end, lead, booked, count, revenue, cogs int64) {
	b.bookings = append(b.bookings, booking{
		key: key, count: count, revenue: revenue, cogs: cogs, end: end, facts: b.Facts, endDate: b.rules.Date(end),
		window: b.window(start, end),
		row: fact.Booking{
			Person: b.Person, Conversion: key.conversion, ID: key.id,
			LeadTime: lead, SaleTime: end, BookedTime: booked,
			LeadDate: b.rules.Date(lead), SaleDate: b.rules.Date(end), BookedDate: b.rules.Date(booked),
		},
	})
}
