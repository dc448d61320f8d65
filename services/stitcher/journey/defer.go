package journey

import (
	"cmp"
	"slices"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// deferred is what has come to a journey and is not posted yet. All of a transaction is recorded at one moment, so what it changes of a
// person is posted once, as the difference between the person before and after: otherwise each of a hundred events moves every credit
// that the one before it moved.
type deferred struct {
	events []arrival
	given  []*Facts // of people that have become this one
	merge  string   // the cause of the last of these
}

// arrival is an event that has come: by itself, or with another person.
type arrival struct {
	*event.Event
	cause string
	given bool
}

// Defer adds an event that is not there, to be posted by Settle.
func (x *Index) Defer(e *event.Event, cause string) {
	if !x.events.roomy() {
		x.prepare()
	}
	x.events.add(e)
	x.later.events = append(x.later.events, arrival{e, cause, false})
}

// DeferMerge moves all of o to x, to be posted by Settle. It reports that it cannot, and does nothing, where the merge says something new
// of a call that is there. O is used up.
func (x *Index) DeferMerge(o *Index, cause string) bool {
	for call := range o.matches {
		if _, known := x.matches[call]; !known && x.events.get(keyOf(call)) != nil {
			return false
		}
	}
	x.prepare()
	x.later.given, x.later.merge = append(x.later.given, o.Facts()), cause
	for call, m := range o.matches {
		if _, known := x.matches[call]; !known {
			x.LoadMatch(call, m)
		}
	}
	o.events.each(func(e *event.Event) {
		if x.events.get(eventKey{e.Source, e.ID}) == nil {
			x.events.add(e)
			x.later.events = append(x.later.events, arrival{e, cause, true})
		}
	})
	return true
}

// Deferred reports that something is to be posted.
func (x *Index) Deferred() bool { return len(x.later.events)+len(x.later.given) > 0 }

// Settle posts what was deferred: into the postings that it is given, one for each cause.
func (x *Index) Settle(posting func(cause string) *fact.Posting) {
	if !x.Deferred() {
		return
	}
	slices.SortFunc(x.later.events, func(a, b arrival) int { return compareEvents(a.Event, b.Event) })
	if x.prepared == nil && x.events.only(event.Visit) {
		x.settleVisits(posting)
		return
	}
	x.prepare()
	d := x.later
	x.later = deferred{}
	c := newChange(x)
	defer c.done()
	for _, a := range d.events {
		c.add(a.Event)
	}
	if len(d.events) == 1 && len(d.given) == 0 { // most people do one thing at a time
		cause := d.events[0].cause
		c.post(posting(cause), nil, Change{Cause: cause})
		return
	}
	c.look(c.Index, c.Index)
	before, after := append([]*Facts{&c.before}, d.given...), []*Facts{&c.after}
	if !booked(before) && !booked(after) {
		diffAllRows(posting(d.last()), before, after)
		return
	}
	diffByCause(before, after, newReasons(&d, c), posting)
}

// settleVisits posts the visits of somebody who has done nothing else: touches of no conversion.
func (x *Index) settleVisits(posting func(cause string) *fact.Posting) {
	come := x.later.events
	x.later = deferred{}
	p := posting(come[len(come)-1].cause)
	for i, a := range come {
		if x.rules.counts(a.Visit) {
			p.Touches = append(p.Touches, x.visit(a.Event))
			p.Touches[len(p.Touches)-1].Sign = 1
		}
		for _, n := range a.Nodes {
			if !x.events.anyBefore(come[i:], n.ID) {
				p.Identities = append(p.Identities, fact.IdentityRow{Sign: 1, Kind: n.Kind, Node: n.ID, Person: x.person})
			}
		}
	}
}

// anyBefore reports that an event that is not among some which have come is of a node. There are few of both.
func (s *eventSet) anyBefore(come []arrival, id event.NodeID) bool {
	return slices.ContainsFunc(s.few, func(e *event.Event) bool {
		return slices.ContainsFunc(e.Nodes, func(n event.Node) bool { return n.ID == id }) && !arrived(come, e)
	})
}

// has reports that an event is deferred.
func (d *deferred) has(e *event.Event) bool { return arrived(d.events, e) }

func arrived(all []arrival, e *event.Event) bool {
	return slices.ContainsFunc(all, func(a arrival) bool { return a.Event == e })
}

// last is the cause of the last event that came by itself, else of the merge.
func (d *deferred) last() string {
	for _, a := range slices.Backward(d.events) {
		if !a.given {
			return a.cause
		}
	}
	return d.merge
}

// diffByCause is Diff where each booking has a cause of its own.
func diffByCause(before, after []*Facts, why *reasons, posting func(cause string) *fact.Posting) {
	ledgers := map[string]*ledger{}
	var all []*ledger
	of := func(cause string) *ledger {
		l := ledgers[cause]
		if l == nil {
			l = newLedger(posting(cause))
			ledgers[cause], all = l, append(all, l)
		}
		return l
	}
	for old, now := range pairs(before, after, map[bookingKey]*booking{}) {
		if old != nil && now != nil && old.same(now) {
			continue
		}
		cause, t := why.of(old, now)
		l := of(cause)
		if old != nil {
			l.post(old, -1, t)
		}
		if now != nil {
			l.post(now, +1, t)
		}
	}
	rows := of(why.last)
	diffAllRows(rows.Posting, before, after)
	for _, l := range all {
		l.finish()
		l.done()
	}
}

// reasons says which event changed a booking.
type reasons struct {
	own         map[string]bool   // events that came by themselves
	first, told map[string]string // by deal: the first event that came, and the last
	moved       []moved           // touches that came or went, in the order of their times
	lookback    int64
	merge       string
	last        string // the last event that came
}

// moved is a touch that came or went.
type moved struct {
	at    int64
	cause string
	given bool
}

func newReasons(d *deferred, c *change) *reasons {
	r := &reasons{own: map[string]bool{}, first: map[string]string{}, told: map[string]string{}, merge: d.merge, last: d.last(), lookback: c.rules.Lookback}
	by := make(map[string]arrival, len(d.events))
	for _, a := range d.events {
		key := a.Key()
		by[key] = a
		if !a.given {
			r.own[key] = true
		}
		if a.Type == event.Deal && !a.given {
			id := dealID(a.Event)
			if r.first[id] == "" {
				r.first[id] = a.cause
			}
			r.told[id] = a.cause
		}
	}
	for _, touches := range [][]*fact.Touch{c.come, c.gone} {
		for _, t := range touches {
			a := by[t.ID]
			if a.Event == nil { // it went, because of a message before it
				a = arrival{cause: r.last, given: d.merge != "" && r.last == d.merge}
			}
			r.moved = append(r.moved, moved{t.Time, a.cause, a.given})
		}
	}
	slices.SortStableFunc(r.moved, func(a, b moved) int { return cmp.Compare(a.at, b.at) })
	return r
}

// of is why a booking stands where old stood; one of both may be nil.
func (r *reasons) of(old, now *booking) (string, fact.CauseType) {
	switch {
	case now == nil:
		return r.ofDealOr(old, r.last), r.late(false)
	case old == nil:
		return r.ofNew(now)
	case old.row.Person != now.row.Person:
		return r.merge, fact.CauseMerge
	case old.revenue != now.revenue || old.cogs != now.cogs:
		return r.ofDealOr(now, r.last), fact.CauseEdit
	}
	// The last touch of its window that came or went.
	i, _ := slices.BinarySearchFunc(r.moved, now.end+1, func(m moved, at int64) int { return cmp.Compare(m.at, at) })
	if i > 0 && r.moved[i-1].at >= min(old.start, now.start)-r.lookback {
		return r.moved[i-1].cause, r.late(r.moved[i-1].given)
	}
	return r.ofDealOr(now, r.last), r.late(false)
}

func (r *reasons) ofNew(b *booking) (string, fact.CauseType) {
	key, cause := b.key.id, b.key.id // an inquiry is named as its event is
	switch b.key.conversion {
	case fact.Sale:
		key, cause = b.key.event, b.key.event
	case fact.Deal:
		key, cause = "", r.ofDealOr(b, r.last)
		if first := r.first[b.key.id]; first != "" {
			cause = first
		}
	case fact.Inquiry:
	}
	switch {
	case key != "" && !r.own[key]: // it follows from what others changed
		return r.ofDealOr(b, r.last), r.late(r.merge != "")
	case b.count < 0:
		return cause, fact.CauseReversal
	case b.count == 0:
		return cause, fact.CauseEdit
	}
	return cause, fact.CauseNew
}

// ofDealOr is the last event that came for the booking's deal.
func (r *reasons) ofDealOr(b *booking, otherwise string) string {
	if cause := r.told[b.key.id]; cause != "" && b.key.conversion != fact.Inquiry {
		return cause
	}
	return otherwise
}

func (r *reasons) late(given bool) fact.CauseType {
	if given && r.merge != "" {
		return fact.CauseMerge
	}
	return fact.CauseLate
}
