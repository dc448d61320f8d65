package stitcher

import (
	"iter"
	"slices"

	"github.com/throughline-io/throughline/schemas/fact"
)

// netting sums the credits of the postings of one transaction. A transaction may hold thousands of events of one person, and each
// of them may move every credit of every conversion; what one event posts and another takes back before anybody could read it is
// left out, since all of it is recorded at one moment.
//
// A booking that is first posted in the transaction keeps that cause, whatever moved its credits afterwards. One that stood
// before has the last cause that moved it.
type netting struct {
	postings []*fact.Posting // as they came, without credits
	causes   map[causeKey]int
	bookings map[netKey]int
	list     []netBooking
	touches  []netTouch // of all bookings
	at       []int      // of a posting's bookings, in list
	whole    []fact.Posting
	sums     []*fact.Posting
}

type causeKey struct{ workspace, cause string }

// netKey is a booking whatever its cause.
type netKey struct {
	workspace string
	row       fact.Booking
}

type netBooking struct {
	cause       causeKey
	row         fact.Booking
	touches     int
	first, last int32                     // of its touches
	index       map[fact.Touchpoint]int32 // nil where there are few
}

// netTouch is what a touch gets of a booking under each model.
type netTouch struct {
	fact.Touchpoint
	cell netCell
	next int32 // of the same booking, in the order of their coming
}

// netCell is what a touch gets under each model.
type netCell [fact.NumberOfModels]struct{ conversions, revenue, cogs int64 }

// fewTouchpoints is how many touchpoints are looked through.
const fewTouchpoints = 8

// add takes a posting, and reports whether it keeps it.
func (n *netting) add(p *fact.Posting) bool {
	if n.bookings == nil {
		n.bookings, n.causes = map[netKey]int{}, map[causeKey]int{}
	}
	cause := causeKey{p.Workspace, p.Cause}
	if len(p.Credits) > 0 {
		n.credits(p, cause)
		p.Bookings, p.Touchpoints, p.Credits = p.Bookings[:0], p.Touchpoints[:0], p.Credits[:0]
	}
	if p.Empty() && n.has(cause) {
		return false
	}
	n.causes[cause] = len(n.postings)
	n.postings = append(n.postings, p)
	return true
}

// used is the postings that were taken, with the room that their sums took.
func (n *netting) used() []*fact.Posting {
	for i := range n.whole {
		p, sum := n.postings[i], &n.whole[i]
		p.Bookings, p.Touchpoints, p.Credits = sum.Bookings, sum.Touchpoints, sum.Credits
	}
	return n.postings
}

// mostNetted is how many bookings' and postings' memory is kept between transactions, mostTouches how many touches'.
const (
	mostNetted  = 10_000
	mostTouches = 20_000
)

// reset forgets everything, and keeps its memory where it is little.
func (n *netting) reset() {
	if max(cap(n.list), cap(n.whole)) > mostNetted || cap(n.touches) > mostTouches {
		*n = netting{}
		return
	}
	clear(n.postings)
	clear(n.whole)
	clear(n.sums)
	n.postings, n.whole, n.sums = n.postings[:0], n.whole[:0], n.sums[:0]
	clear(n.causes)
	clear(n.bookings)
	clear(n.list)
	clear(n.touches)
	n.list, n.touches = n.list[:0], n.touches[:0]
}

func (n *netting) has(c causeKey) bool {
	_, ok := n.causes[c]
	return ok
}

func (n *netting) credits(p *fact.Posting, cause causeKey) {
	n.at = n.at[:0]
	for i := range p.Bookings {
		n.at = append(n.at, n.booking(&p.Bookings[i], cause))
	}
	booking, touch, at := -1, -1, int32(0) // the credits of one touch of one booking stand together
	for i := range p.Credits {
		c := &p.Credits[i]
		if c.Booking != booking || c.Touch != touch {
			booking, touch = c.Booking, c.Touch
			at = n.touch(&n.list[n.at[booking]], &p.Touchpoints[touch])
		}
		a := &n.touches[at].cell[c.Model-fact.FirstTouch]
		a.conversions += c.Conversions
		a.revenue += c.Revenue
		a.cogs += c.CostOfGoods
	}
}

// booking finds a booking, or makes it, and settles its cause.
func (n *netting) booking(row *fact.Booking, cause causeKey) int {
	key := netKey{cause.workspace, *row}
	key.row.CauseType = 0
	i, ok := n.bookings[key]
	if !ok {
		i = len(n.list)
		n.bookings[key] = i
		n.list = append(n.list, netBooking{cause: cause, row: *row})
		return i
	}
	if b := &n.list[i]; !first(b.row.CauseType) {
		b.cause, b.row.CauseType = cause, row.CauseType
	}
	return i
}

// first reports that a cause is of a booking's own event, and not of another that moved its credits.
func first(t fact.CauseType) bool {
	return t == fact.CauseNew || t == fact.CauseEdit || t == fact.CauseReversal
}

// touch finds a touch of a booking, or makes it.
func (n *netting) touch(b *netBooking, t *fact.Touchpoint) int32 {
	if b.index != nil {
		if i, ok := b.index[*t]; ok {
			return i
		}
	} else {
		for i := range n.of(b) {
			if n.touches[i].Touchpoint == *t {
				return i
			}
		}
	}
	i := int32(len(n.touches))
	n.touches = append(n.touches, netTouch{Touchpoint: *t})
	if b.touches == 0 {
		b.first = i
	} else {
		n.touches[b.last].next = i
	}
	b.last = i
	b.touches++
	switch {
	case b.index != nil:
		b.index[*t] = i
	case b.touches > fewTouchpoints:
		b.index = make(map[fact.Touchpoint]int32, 4*fewTouchpoints)
		for j := range n.of(b) {
			b.index[n.touches[j].Touchpoint] = j
		}
	}
	return i
}

// of is where the touches of a booking stand.
func (n *netting) of(b *netBooking) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, left := b.first, b.touches; left > 0 && yield(i); i, left = n.touches[i].next, left-1 {
		}
	}
}

// sum is what must be posted, in the order that it came, good until the next sum or reset. It changes nothing, so that it can be asked
// for again.
func (n *netting) sum() []*fact.Posting {
	n.whole = slices.Grow(n.whole[:0], len(n.postings))[:len(n.postings)]
	all := slices.Grow(n.sums[:0], len(n.postings))
	for i, p := range n.postings {
		n.whole[i] = *p
		all = append(all, &n.whole[i])
	}
	n.sums = all
	seen := make([]map[fact.Touchpoint]int, len(all))
	for i := range n.list {
		b := &n.list[i]
		at := n.causes[b.cause]
		n.write(b, all[at], &seen[at])
	}
	out := all[:0]
	for _, p := range all {
		if !p.Empty() {
			out = append(out, p)
		}
	}
	return out
}

// write adds what did not cancel out to a posting, whose touchpoints stand once.
func (n *netting) write(b *netBooking, p *fact.Posting, seen *map[fact.Touchpoint]int) {
	booking := -1
	for i := range n.of(b) {
		t, touch := &n.touches[i], -1
		for m, a := range t.cell {
			if a.conversions == 0 && a.revenue == 0 && a.cogs == 0 {
				continue
			}
			if booking < 0 {
				booking = len(p.Bookings)
				p.Bookings = append(p.Bookings, b.row)
			}
			if touch < 0 {
				touch = touchpoint(p, &t.Touchpoint, seen)
			}
			p.Credits = append(p.Credits, fact.Credit{
				Booking: booking, Touch: touch, Model: fact.FirstTouch + fact.Model(m), Conversions: a.conversions, Revenue: a.revenue, CostOfGoods: a.cogs,
			})
		}
	}
}

func touchpoint(p *fact.Posting, t *fact.Touchpoint, seen *map[fact.Touchpoint]int) int {
	if *seen == nil {
		for i := range p.Touchpoints {
			if p.Touchpoints[i] == *t {
				return i
			}
		}
		if len(p.Touchpoints) < fewTouchpoints {
			p.Touchpoints = append(p.Touchpoints, *t)
			return len(p.Touchpoints) - 1
		}
		*seen = make(map[fact.Touchpoint]int, 4*fewTouchpoints)
		for i := range p.Touchpoints {
			(*seen)[p.Touchpoints[i]] = i
		}
	}
	i, ok := (*seen)[*t]
	if !ok {
		i = len(p.Touchpoints)
		(*seen)[*t] = i
		p.Touchpoints = append(p.Touchpoints, *t)
	}
	return i
}
