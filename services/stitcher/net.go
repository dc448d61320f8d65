package stitcher

import (
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
	touchpoints []fact.Touchpoint
	index       map[fact.Touchpoint]int // nil where there are few
	cells       []netCell
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

// mostNetted is how many bookings' memory is kept between transactions.
const mostNetted = 10_000

// mostCells is how many touches' memory a booking keeps between transactions.
const mostCells = 16

// reset forgets everything.
func (n *netting) reset() {
	if cap(n.list) > mostNetted {
		*n = netting{}
		return
	}
	clear(n.postings)
	n.postings = n.postings[:0]
	clear(n.causes)
	clear(n.bookings)
	for i := range n.list {
		n.list[i].reset()
	}
	n.list = n.list[:0]
}

// reset forgets a booking, and keeps its memory where it is little.
func (b *netBooking) reset() {
	if cap(b.cells) > mostCells {
		*b = netBooking{}
		return
	}
	clear(b.touchpoints)
	*b = netBooking{touchpoints: b.touchpoints[:0], cells: b.cells[:0]}
}

func (n *netting) has(c causeKey) bool {
	_, ok := n.causes[c]
	return ok
}

func (n *netting) credits(p *fact.Posting, cause causeKey) {
	at := make([]int, len(p.Bookings))
	for i := range p.Bookings {
		at[i] = n.booking(&p.Bookings[i], cause)
	}
	booking, touch, cell := -1, -1, 0 // the credits of one touch of one booking stand together
	for i := range p.Credits {
		c := &p.Credits[i]
		b := &n.list[at[c.Booking]]
		if c.Booking != booking || c.Touch != touch {
			booking, touch = c.Booking, c.Touch
			cell = b.cell(&p.Touchpoints[touch])
		}
		a := &b.cells[cell][c.Model-fact.FirstTouch]
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
		if i == cap(n.list) {
			n.list = append(n.list, netBooking{})
		} else {
			n.list = n.list[:i+1] // what was there was reset, and has memory to be used again
		}
		b := &n.list[i]
		b.cause, b.row = cause, *row
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

func (b *netBooking) cell(t *fact.Touchpoint) int {
	if b.index == nil {
		for i := range b.touchpoints {
			if b.touchpoints[i] == *t {
				return i
			}
		}
	} else if i, ok := b.index[*t]; ok {
		return i
	}
	i := len(b.touchpoints)
	b.touchpoints, b.cells = append(b.touchpoints, *t), append(b.cells, netCell{})
	switch {
	case b.index != nil:
		b.index[*t] = i
	case i >= fewTouchpoints:
		b.index = make(map[fact.Touchpoint]int, 4*fewTouchpoints)
		for j, old := range b.touchpoints {
			b.index[old] = j
		}
	}
	return i
}

// sum is what must be posted, in the order that it came. It changes nothing, so that it can be asked for again.
func (n *netting) sum() []*fact.Posting {
	all := make([]*fact.Posting, len(n.postings))
	for i, p := range n.postings {
		whole := *p
		all[i] = &whole
	}
	seen := make([]map[fact.Touchpoint]int, len(all))
	for i := range n.list {
		b := &n.list[i]
		at := n.causes[b.cause]
		b.write(all[at], &seen[at])
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
func (b *netBooking) write(p *fact.Posting, seen *map[fact.Touchpoint]int) {
	booking := -1
	for i := range b.cells {
		touch := -1
		for m, a := range b.cells[i] {
			if a.conversions == 0 && a.revenue == 0 && a.cogs == 0 {
				continue
			}
			if booking < 0 {
				booking = len(p.Bookings)
				p.Bookings = append(p.Bookings, b.row)
			}
			if touch < 0 {
				touch = touchpoint(p, &b.touchpoints[i], seen)
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
