package journey

import (
	"sort"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// booking is one posting of one conversion with the touches that share it.
type booking struct {
	// key tells bookings apart: two may fall into one millisecond, and each is shared on its own.
	key bookingKey
	// row is what the ledger says of it; its cause type is set when it is posted.
	row                  fact.Booking
	count, revenue, cogs int64
	start, end           int64 // the window before it is widened by the lookback
	endDate              fact.Date
	// window is the eligible touches, in order; set where the booking is to be posted or taken back. It may be looked up only then,
	// in what in knows.
	window []*fact.Touch
	in     windows
}

// look finds the window, or keeps in mind where to find it.
func (b *booking) look(w windows) {
	if l, ok := w.(later); ok {
		b.in = l.windows
		return
	}
	b.window = w.window(b.start, b.end)
}

// looked is the booking with its window.
func (b *booking) looked() *booking {
	if b == nil || b.in == nil {
		return b
	}
	out := *b
	out.window, out.in = b.in.window(b.start, b.end), nil
	return &out
}

type bookingKey struct {
	conversion fact.Conversion
	id         string
	sale       int64  // start of the won interval
	event      string // key of the event that books
}

// windows finds the eligible touches of a conversion: those in [start−lookback, end], both ends included, of more than max_touches
// the first and the last.
type windows interface {
	window(start, end int64) []*fact.Touch
}

// later has windows looked up when they are needed: those of a large journey do not fit into memory all at once.
type later struct{ windows }

// frozen is an index's touches as they were.
type frozen struct {
	rules   *Rules
	touches sorted[*fact.Touch]
}

func (f *frozen) window(start, end int64) []*fact.Touch {
	return windowOf(&f.touches, f.rules, start, end)
}

// timeline is a person's touches, sorted.
type timeline struct {
	rules   *Rules
	touches []*fact.Touch
}

func (t *timeline) window(start, end int64) []*fact.Touch {
	from := start - t.rules.Lookback
	lo := sort.Search(len(t.touches), func(i int) bool { return t.touches[i].Time >= from })
	hi := sort.Search(len(t.touches), func(i int) bool { return t.touches[i].Time > end })
	if hi <= lo {
		return nil
	}
	if limit := t.rules.MaxTouches; hi-lo > limit {
		out := make([]*fact.Touch, 0, limit)
		out = append(out, t.touches[lo])
		return append(out, t.touches[hi-(limit-1):hi]...)
	}
	return t.touches[lo:hi:hi]
}

// inquiryBooking is the one booking of an inquiry.
func inquiryBooking(q *fact.InquiryRow, r *Rules) booking {
	return newBooking(q.Person, bookingKey{conversion: fact.Inquiry, id: q.ID}, r, q.Time, q.Time, q.Time, q.Time, 1, 0, 0)
}

// book adds a booking of a deal: its creation, or what an event changed of a won interval.
func (d *deal) book(e *event.Event, c fact.Conversion, end, booked, count, revenue, cogs int64) {
	key := bookingKey{conversion: c, id: d.id} // a creation is one, whichever event came first
	if c == fact.Sale {
		key.sale, key.event = end, e.Key()
	}
	d.bookings = append(d.bookings, newBooking(d.row.Person, key, d.rules, min(d.created, end), end, d.created, booked, count, revenue, cogs))
}

func newBooking(person event.NodeID, key bookingKey, r *Rules, start, end, lead, booked, count, revenue, cogs int64) booking {
	b := booking{
		key: key, count: count, revenue: revenue, cogs: cogs, start: start, end: end, endDate: r.Date(end),
		row: fact.Booking{Person: person, Conversion: key.conversion, ID: key.id, LeadTime: lead, SaleTime: end, BookedTime: booked},
	}
	b.row.SaleDate, b.row.LeadDate, b.row.BookedDate = b.endDate, b.endDate, b.endDate
	if lead != end {
		b.row.LeadDate = r.Date(lead)
	}
	if booked != end {
		b.row.BookedDate = r.Date(booked)
	}
	return b
}
