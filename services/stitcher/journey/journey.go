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
}

// Of computes the facts of a journey.
func Of(j Journey, r *Rules) *Facts {
	events := slices.Clone(j.Events)
	slices.SortFunc(events, func(a, b *event.Event) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), compareKeys(a, b))
	})
	f := &Facts{Person: j.Person}
	f.addIdentities(events)
	b := builder{Facts: f, rules: r, matches: j.Matches}
	b.walk(events)
	b.foldDeals(events)
	return f
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

// builder fills Facts in one walk over the sorted events, then one fold a deal.
type builder struct {
	*Facts
	rules   *Rules
	matches map[string]Match
}
