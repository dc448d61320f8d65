package journey

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Put adds an event that is not there and appends to p what that changes.
func (x *Index) Put(p *fact.Posting, e *event.Event, why Change) {
	x.prepare()
	x.events.add(e)
	c := newChange(x)
	defer c.done()
	c.add(e)
	c.post(p, nil, why)
}

// SetMatch says what is known now of a pool call, which need not be here.
func (x *Index) SetMatch(p *fact.Posting, call string, m Match, why Change) {
	e := x.events.get(keyOf(call))
	var before, after Facts
	if e != nil {
		before.calls = append(before.calls, x.call(e, x.matches[call]))
	}
	x.LoadMatch(call, m)
	if e != nil {
		after.calls = append(after.calls, x.call(e, m))
		Diff(p, []*Facts{&before}, []*Facts{&after}, why)
	}
}

// Merge moves all of o to x and appends what that changes. What is in both stands as it was in x. O is used up.
func (x *Index) Merge(p *fact.Posting, o *Index, why Change) {
	given := o.Facts()
	c := x.takeAll(o)
	defer c.done()
	c.post(p, given, why)
}

// takeAll adds all of o.
func (x *Index) takeAll(o *Index) *change {
	x.prepare()
	c := newChange(x)
	events := o.events.list()
	slices.SortFunc(events, compareEvents)
	for _, call := range slices.Sorted(maps.Keys(o.matches)) {
		if _, known := x.matches[call]; known {
			continue
		}
		m := o.matches[call]
		if e := x.events.get(keyOf(call)); e != nil {
			c.before.calls = append(c.before.calls, x.call(e, x.matches[call]))
			c.after.calls = append(c.after.calls, x.call(e, m))
		}
		x.LoadMatch(call, m)
	}
	for _, e := range events {
		if x.events.get(eventKey{e.Source, e.ID}) == nil {
			x.events.add(e)
			c.add(e)
		}
	}
	return c
}

// change is what some events change: first all of them are added, which says which touches, inquiries and deals come and
// go, then the bookings whose windows cover these are looked at as they were, and then as they are.
type change struct {
	*Index
	before, after Facts
	come, gone    []*fact.Touch
	asked, unsaid []*inquiry     // inquiries that come and go
	told          []*event.Event // deal events
	talks         []talk         // conversations that may change
	remembered    map[*event.Event]bool
	building      bool // nothing is to be posted
	sides         [3]*Facts
	moments       []int64 // room for times
}

// changes are used again: there is one for each event.
var changes = sync.Pool{New: func() any { return new(change) }}

func newChange(x *Index) *change {
	c, ok := changes.Get().(*change)
	if !ok {
		c = &change{}
	}
	c.Index = x
	return c
}

// done gives the change back. Nothing that was posted refers to it.
func (c *change) done() {
	c.Index = nil
	c.before.reset()
	c.after.reset()
	c.come, c.gone = emptied(c.come), emptied(c.gone)
	c.asked, c.unsaid, c.told = emptied(c.asked), emptied(c.unsaid), emptied(c.told)
	c.talks, c.moments = emptied(c.talks), emptied(c.moments)
	clear(c.sides[:])
	clear(c.remembered)
	changes.Put(c)
}

func (f *Facts) reset() {
	f.touches, f.inquiries, f.deals = emptied(f.touches), emptied(f.inquiries), emptied(f.deals)
	f.stages, f.identities, f.calls = emptied(f.stages), emptied(f.identities), emptied(f.calls)
	f.bookings, f.conversations, f.steps = emptied(f.bookings), emptied(f.conversations), emptied(f.steps)
}

// mostKept is how much room a slice keeps that is used again.
const mostKept = 256

// emptied is a slice without what it held, and with its room where that is not much.
func emptied[T any](s []T) []T { return emptiedTo(s, mostKept) }

// emptiedTo is a slice without what it held, and with its room up to a limit.
func emptiedTo[T any](s []T, most int) []T {
	if cap(s) > most {
		return nil
	}
	clear(s)
	return s[:0]
}

// add takes an event in.
func (c *change) add(e *event.Event) {
	c.identify(e)
	switch e.Type {
	case event.Visit:
		if c.rules.counts(e.Visit) {
			c.comes(c.visit(e))
		}
	case event.Form:
		c.asks(e)
	case event.Call:
		if t, ok := c.callTouch(e); ok {
			c.comes(t)
		}
		if e.Call.Direction == event.In {
			c.asks(e)
		}
		c.after.calls = append(c.after.calls, c.call(e, c.matches[e.Key()]))
	case event.Message:
		c.message(e)
	case event.Deal:
		c.told = append(c.told, e)
	case event.Spend, event.Identify, event.NumberLease:
	}
}

func (c *change) comes(t fact.Touch) { c.come = append(c.come, &t) }

func (c *change) asks(e *event.Event) {
	q := &inquiry{row: c.inquiry(e)}
	q.booking = inquiryBooking(&q.row, c.rules)
	c.asked = append(c.asked, q)
}

// fewNodes is how many identifiers are looked through.
const fewNodes = 8

// identify adds the nodes that are new.
func (c *change) identify(e *event.Event) {
	for _, n := range e.Nodes {
		if c.knows(n.ID) {
			continue
		}
		row := fact.IdentityRow{Kind: n.Kind, Node: n.ID, Person: c.person}
		c.nodes = append(c.nodes, row)
		switch {
		case c.known != nil:
			c.known[n.ID] = struct{}{}
		case len(c.nodes) > fewNodes:
			c.known = make(map[event.NodeID]struct{}, 2*fewNodes)
			for _, k := range c.nodes {
				c.known[k.Node] = struct{}{}
			}
		}
		c.after.identities = append(c.after.identities, row)
	}
}

func (x *Index) knows(id event.NodeID) bool {
	if x.known != nil {
		_, ok := x.known[id]
		return ok
	}
	for i := range x.nodes {
		if x.nodes[i].Node == id {
			return true
		}
	}
	return false
}

// goes takes back that a message began a conversation. It was there before: events come in order, and this one is later.
func (c *change) goes(e *event.Event) {
	key := e.Key()
	t, _ := c.touches.get(c.placeOfTouch(e.Time, key))
	q, _ := c.inquiries.get(c.placeOfInquiry(e.Time, key))
	c.gone, c.unsaid = append(c.gone, t), append(c.unsaid, q)
}

func (x *Index) placeOfTouch(at int64, id string) place {
	return x.touches.find(func(t *fact.Touch) bool { return t.Time < at || t.Time == at && t.ID < id })
}

func (x *Index) placeOfInquiry(at int64, id string) place {
	return x.inquiries.find(func(q *inquiry) bool { return q.row.Time < at || q.row.Time == at && q.row.ID < id })
}

// post appends the difference; given is the facts of a person that becomes part of this one.
func (c *change) post(p *fact.Posting, given *Facts, why Change) {
	c.look(c.Index, c.Index)
	sides := append(c.sides[:0], &c.after, &c.before)
	if given != nil {
		sides = append(sides, given)
	}
	Diff(p, sides[1:], sides[:1], why)
}

// look finds what is before and after, with the windows as they were and as they will be.
func (c *change) look(was, is windows) {
	times := c.times()
	inquiries, deals := c.touched(times)
	changed := c.changedDeals()
	side := func(f *Facts, w windows, own []*inquiry, touches []*fact.Touch) {
		for _, q := range inquiries {
			f.addInquiry(q, w)
		}
		for _, q := range own {
			f.addInquiry(q, w)
			f.inquiries = append(f.inquiries, q.row)
		}
		for _, d := range deals {
			if !among(changed, d.id) {
				c.addTouched(f, d, times, w)
			}
		}
		for _, t := range changed {
			if d := c.deals[t.id]; d != nil {
				d.whole(f, w)
			}
		}
		for _, t := range touches {
			f.touches = append(f.touches, *t)
		}
	}
	side(&c.before, was, c.unsaid, c.gone)
	c.settle(changed)
	side(&c.after, is, c.asked, c.come)
	c.addConversations()
}

func (f *Facts) addInquiry(q *inquiry, w windows) {
	b := q.booking
	b.look(w)
	f.bookings = append(f.bookings, b)
}

// addTouched adds the deal's row and the bookings whose windows cover one of some times.
func (c *change) addTouched(f *Facts, d *ownDeal, times []int64, w windows) {
	f.deals = append(f.deals, d.credited(w))
	for _, b := range d.bookings {
		if anyIn(times, b.start-c.rules.Lookback, b.end) {
			b.look(w)
			f.bookings = append(f.bookings, b)
			d.addSteps(f, &b)
		}
	}
}

// times are those of the touches that come or go, sorted.
func (c *change) times() []int64 {
	if c.inquiries.n == 0 && c.spans.n == 0 {
		return nil
	}
	out := c.moments[:0]
	for _, t := range c.come {
		out = append(out, t.Time)
	}
	for _, t := range c.gone {
		out = append(out, t.Time)
	}
	slices.Sort(out)
	c.moments = out
	return out
}

// anyIn reports that one of sorted times is in [from, to].
func anyIn(times []int64, from, to int64) bool {
	i, _ := slices.BinarySearch(times, from)
	return i < len(times) && times[i] <= to
}

// touched finds the inquiries and the deals with a window that covers one of some sorted times, as they stand before. Inquiries
// that go are not among them.
func (c *change) touched(times []int64) (inquiries []*inquiry, deals []*ownDeal) {
	for from, to := range reach(times, c.rules.Lookback) {
		for p := c.inquiries.find(func(q *inquiry) bool { return q.row.Time < from }); ; p = c.inquiries.next(p) {
			q, ok := c.inquiries.get(p)
			if !ok || q.row.Time > to {
				break
			}
			if !slices.Contains(c.unsaid, q) {
				inquiries = append(inquiries, q)
			}
		}
	}
	for from, to := range reach(times, c.longest) {
		for p := c.spans.find(func(d *ownDeal) bool { return d.to < from }); ; p = c.spans.next(p) {
			d, ok := c.spans.get(p)
			if !ok || d.to > to {
				break
			}
			if anyIn(times, d.from, d.to) {
				deals = append(deals, d)
			}
		}
	}
	return inquiries, deals
}

// reach is where windows of a length may end that cover one of sorted times: intervals that do not overlap.
func reach(times []int64, length int64) iter.Seq2[int64, int64] {
	return func(yield func(from, to int64) bool) {
		for i := 0; i < len(times); {
			from, to := times[i], times[i]+length
			for i++; i < len(times) && times[i] <= to; i++ {
				to = times[i] + length
			}
			if !yield(from, to) {
				return
			}
		}
	}
}

// told is a deal that events come for.
type told struct {
	id     string
	events []*event.Event
}

// changedDeals are the deals that events come for, by id, each with its events as they were added.
func (c *change) changedDeals() []told {
	if len(c.told) == 0 {
		return nil
	}
	all := make([]told, 0, len(c.told))
	for i, e := range c.told {
		all = append(all, told{dealID(e), c.told[i : i+1 : i+1]})
	}
	slices.SortStableFunc(all, byID)
	out := all[:1]
	for _, t := range all[1:] {
		if last := &out[len(out)-1]; last.id == t.id {
			last.events = append(last.events, t.events...)
		} else {
			out = append(out, t)
		}
	}
	return out
}

func byID(a, b told) int { return strings.Compare(a.id, b.id) }

// among reports that a deal is one of those that events come for.
func among(sorted []told, id string) bool {
	_, ok := slices.BinarySearchFunc(sorted, told{id: id}, byID)
	return ok
}

// settle makes what was added part of the index; changed is the deals that events come for.
func (c *change) settle(changed []told) {
	for _, t := range c.gone {
		c.touches.remove(c.placeOfTouch(t.Time, t.ID))
	}
	for _, q := range c.unsaid {
		c.inquiries.remove(c.placeOfInquiry(q.row.Time, q.row.ID))
	}
	for _, t := range c.come {
		c.touches.insert(c.placeOfTouch(t.Time, t.ID), t)
	}
	for _, q := range c.asked {
		c.inquiries.insert(c.placeOfInquiry(q.row.Time, q.row.ID), q)
	}
	for _, t := range changed {
		c.tell(t.id, t.events)
	}
}

// tell folds a deal anew with the events that have come.
func (x *Index) tell(id string, events []*event.Event) {
	if x.deals == nil {
		x.deals = map[string]*ownDeal{}
	}
	d := x.deals[id]
	if d == nil {
		d = &ownDeal{}
		x.deals[id] = d
	} else {
		x.spans.remove(x.placeOfSpan(d.to, id))
	}
	d.events = append(d.events, events...)
	slices.SortFunc(d.events, compareEvents)
	d.deal = fold(x.person, id, d.events, x.rules)
	d.from, d.to = d.bookings[0].start, d.bookings[0].end
	for _, b := range d.bookings[1:] {
		d.from, d.to = min(d.from, b.start), max(d.to, b.end)
	}
	d.from -= x.rules.Lookback
	x.longest = max(x.longest, d.to-d.from)
	x.spans.insert(x.placeOfSpan(d.to, id), d)
}

func (x *Index) placeOfSpan(to int64, id string) place {
	return x.spans.find(func(d *ownDeal) bool { return d.to < to || d.to == to && strings.Compare(d.id, id) < 0 })
}
