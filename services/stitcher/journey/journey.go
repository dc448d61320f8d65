// Package journey says what a person's events imply: facts(journey) of the contract.
//
// It is pure: the same set of events gives the same facts, in whatever order they are handed over. It knows no
// clock, no Kafka and no goroutine, and it keeps nothing. Diff is the only way from facts to postings: what it posts
// for (before, after) sums with everything posted earlier to the facts of today.
package journey

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// MatchState is what became of an inbound call to a pool number. Values are part of the stored state.
type MatchState uint8

// States of a match. Unmatched is the zero value: what a pool call is until a lease is found.
const (
	Unmatched MatchState = 0
	Matched   MatchState = 1
	Ambiguous MatchState = 2
)

// Match is what the number's leases say of one call.
type Match struct {
	State   MatchState
	Visitor event.NodeID // set if Matched
}

// Journey is the set of one person's events.
type Journey struct {
	Person event.NodeID
	// Events are in any order, no key twice.
	Events []*event.Event
	// Matches holds, by call key, what is known of calls to pool numbers.
	Matches map[string]Match
}

// Facts is what a journey implies. It is immutable.
type Facts struct {
	Person     event.NodeID
	touches    []fact.Touch
	inquiries  []fact.InquiryRow
	deals      []fact.DealRow
	stages     []fact.StageRow
	identities []fact.IdentityRow
	calls      []fact.CallRow
	bookings   []booking

	conversations []fact.ConversationRow
	steps         []fact.StepRow
}

// Of computes the facts of a journey.
func Of(j Journey, r *Rules) *Facts { return of(j, r, func(w windows) windows { return w }) }

// of computes facts whose windows are looked up at once or later.
func of(j Journey, r *Rules, when func(windows) windows) *Facts {
	events := slices.Clone(j.Events)
	slices.SortFunc(events, func(a, b *event.Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), compareKeys(a, b))
	})
	f := &Facts{Person: j.Person}
	f.addIdentities(events)
	f.walk(events, j.Matches, units{j.Person, r})
	t := &timeline{rules: r, touches: make([]*fact.Touch, len(f.touches))}
	for i := range f.touches {
		t.touches[i] = &f.touches[i]
	}
	w := when(t)
	for i := range f.inquiries {
		b := inquiryBooking(&f.inquiries[i], r)
		b.look(w)
		f.bookings = append(f.bookings, b)
	}
	for _, d := range foldAll(j.Person, events, r) {
		d.whole(f, w)
	}
	return f
}

// walk finds touches, inquiries and calls. Events come sorted by (time, key), so touches are sorted by (time, touch id).
func (f *Facts) walk(events []*event.Event, matches map[string]Match, u units) {
	heard := map[string]*event.Event{} // platform → the last inbound message
	talking := map[string]int{}        // platform → the conversation that lasts
	for _, e := range events {
		switch e.Type {
		case event.Visit:
			if u.rules.counts(e.Visit) {
				f.touches = append(f.touches, u.visit(e))
			}
		case event.Form:
			f.inquiries = append(f.inquiries, u.inquiry(e))
		case event.Call:
			if t, ok := u.callTouch(e); ok {
				f.touches = append(f.touches, t)
			}
			if e.Call.Direction == event.In {
				f.inquiries = append(f.inquiries, u.inquiry(e))
			}
			f.calls = append(f.calls, u.call(e, matches[e.Key()]))
		case event.Message:
			if e.Message.Direction != event.In {
				if i, lasts := talking[e.Message.Platform]; lasts {
					answer(&f.conversations[i], e)
				}
				continue
			}
			last := heard[e.Message.Platform]
			heard[e.Message.Platform] = e
			if begins(e, last) {
				if !u.rules.Lean {
					talking[e.Message.Platform] = len(f.conversations)
					f.conversations = append(f.conversations, u.conversation(e))
				}
				f.touches = append(f.touches, u.messageTouch(e))
				f.inquiries = append(f.inquiries, u.inquiry(e))
			}
		case event.Deal, event.Spend, event.Identify, event.NumberLease: // neither touch nor inquiry
		}
	}
}

// foldAll folds each deal of sorted events, in the order of their ids.
func foldAll(person event.NodeID, events []*event.Event, r *Rules) []*deal {
	byID := map[string][]*event.Event{}
	var ids []string
	for _, e := range events {
		if e.Type == event.Deal {
			id := dealID(e)
			if byID[id] == nil {
				ids = append(ids, id)
			}
			byID[id] = append(byID[id], e)
		}
	}
	slices.Sort(ids)
	out := make([]*deal, 0, len(ids))
	for _, id := range ids {
		out = append(out, fold(person, id, byID[id], r))
	}
	return out
}

// compareKeys orders events as their keys `<source>/<id>` are ordered bytewise, without building them.
func compareKeys(a, b *event.Event) int {
	if a.Source == b.Source {
		return cmp.Compare(a.ID, b.ID)
	}
	return cmp.Compare(a.Key(), b.Key())
}

func (f *Facts) addIdentities(events []*event.Event) {
	seen := make(map[event.NodeID]bool, 4)
	for _, e := range events {
		for _, n := range e.Nodes {
			if !seen[n.ID] {
				seen[n.ID] = true
				f.identities = append(f.identities, fact.IdentityRow{Kind: n.Kind, Node: n.ID, Person: f.Person})
			}
		}
	}
	slices.SortFunc(f.identities, func(a, b fact.IdentityRow) int { return bytes.Compare(a.Node[:], b.Node[:]) })
}
