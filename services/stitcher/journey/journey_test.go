package journey

import (
	"slices"
	"testing"
	"time"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

const hour = int64(3_600_000)

func testRules() *Rules {
	return &Rules{
		Workspace: "w", Location: time.UTC, Lookback: 90 * 24 * hour, MaxTouches: 1000,
		Minor: func(m event.Money, _ string) (int64, bool) { return m.Micros().Int64() / 10_000, true },
		Classify: func(o event.Origin) fact.Tuple {
			return fact.Tuple{Channel: map[bool]string{true: "Direct", false: "Paid Search"}[o.UTM.Empty()], Source: o.UTM.Source}
		},
		Tuple: func(u event.UTM) fact.Tuple { return fact.Tuple{Channel: "Call", Source: u.Source} },
	}
}

func ptr[T any](v T) *T { return &v }

func visit(id string, at int64, source string) *event.Event {
	return &event.Event{ID: id, Source: "s", Type: event.Visit, Time: at * hour, Nodes: []event.Node{{Kind: "k", ID: event.NodeID{1}}},
		Visit: &event.VisitData{Origin: event.Origin{UTM: event.UTM{Source: source}}}}
}

func snapshot(id string, at int64, d event.DealData) *event.Event {
	d.ID = "1"
	return &event.Event{ID: id, Source: "s", Type: event.Deal, Time: at * hour, Nodes: []event.Node{{Kind: "k", ID: event.NodeID{1}}}, Deal: &d}
}

// TestCauses posts one event after another and looks at why entries of sales were posted, and what they add up to.
func TestCauses(t *testing.T) {
	wonFor := func(amount event.Money) event.DealData {
		return event.DealData{Status: ptr("won"), Amount: ptr(amount)}
	}
	for _, c := range []struct {
		name    string
		events  []*event.Event
		want    []fact.CauseType // of the last event's sale entries
		revenue int64            // of the last event's posting, per model
	}{
		{"a sale is new", []*event.Event{visit("v", 1, "g"), snapshot("d", 2, wonFor("10.00"))}, []fact.CauseType{fact.CauseNew}, 1000},
		{"an amount is edited", []*event.Event{visit("v", 1, "g"), snapshot("d", 2, wonFor("10.00")), snapshot("e", 3, event.DealData{Amount: ptr(event.Money("12.50"))})}, []fact.CauseType{fact.CauseEdit}, 250},
		{"a sale is reversed", []*event.Event{visit("v", 1, "g"), snapshot("d", 2, wonFor("10.00")), snapshot("e", 3, event.DealData{Status: ptr("lost")})}, []fact.CauseType{fact.CauseReversal}, -1000},
		{"a visit comes late and takes credit over", []*event.Event{visit("v", 1, "g"), snapshot("d", 4, wonFor("10.00")), visit("w", 3, "x")}, []fact.CauseType{fact.CauseLate}, 0},
		{"a visit after the sale moves nothing", []*event.Event{visit("v", 1, "g"), snapshot("d", 2, wonFor("10.00")), visit("w", 3, "x")}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := testRules()
			n := len(c.events)
			before := Of(Journey{Events: c.events[:n-1]}, r)
			after := Of(Journey{Events: c.events}, r)
			p := &fact.Posting{}
			Diff(p, []*Facts{before}, []*Facts{after}, Change{Cause: c.events[n-1].Key()})
			revenue := map[fact.Model]int64{}
			var causes []fact.CauseType
			for _, e := range p.Credits {
				if b := p.Bookings[e.Booking]; b.Conversion == fact.Sale {
					causes = append(causes, b.CauseType)
					revenue[e.Model] += e.Revenue
				}
			}
			slices.Sort(causes)
			if causes = slices.Compact(causes); !slices.Equal(causes, c.want) {
				t.Errorf("causes %v, want %v", causes, c.want)
			}
			for m, got := range revenue {
				if got != c.revenue {
					t.Errorf("%s: revenue %d, want %d", m, got, c.revenue)
				}
			}
		})
	}
}

// TestStages follows a deal through its stages, out and in again.
func TestStages(t *testing.T) {
	stage := func(s string) event.DealData {
		return event.DealData{Stage: ptr(s), Pipeline: ptr("sales"), Status: ptr("open")}
	}
	f := Of(Journey{Events: []*event.Event{
		snapshot("a", 1, stage("new")), snapshot("b", 3, stage("contact")), snapshot("c", 4, event.DealData{Amount: ptr(event.Money("1"))}),
		snapshot("d", 6, event.DealData{Status: ptr("lost")}), snapshot("e", 8, event.DealData{Status: ptr("open")}),
	}}, testRules())
	type stay struct {
		stage    string
		from, to int64
	}
	var got []stay
	for _, s := range f.stages {
		got = append(got, stay{s.Stage, s.EnteredAt / hour, s.LeftAt / hour})
	}
	if want := []stay{{"new", 1, 3}, {"contact", 3, 6}, {"contact", 8, 0}}; !slices.Equal(got, want) {
		t.Errorf("stays %v, want %v", got, want)
	}
}

// TestClosedAt checks that a deal is closed when it last became won, lost or deleted, and never before it was won.
func TestClosedAt(t *testing.T) {
	status := func(s string) event.DealData { return event.DealData{Status: ptr(s)} }
	for _, c := range []struct {
		name  string
		steps []event.DealData
		want  int64 // the hour
	}{
		{"open", []event.DealData{status(open)}, 0},
		{"won", []event.DealData{status(open), status(won)}, 2},
		{"won and told of again", []event.DealData{status(won), status(won), {Stage: ptr("invoice")}}, 1},
		{"lost, and won after all", []event.DealData{status(lost), status(won)}, 2},
		{"won, and lost again", []event.DealData{status(won), {Reason: ptr("price")}, status(lost)}, 3},
		{"reopened", []event.DealData{status(won), status(open)}, 0},
		{"deleted", []event.DealData{status(won), {Deleted: ptr(true)}}, 2},
		{"restored", []event.DealData{status(won), {Deleted: ptr(true)}, {Deleted: ptr(false)}}, 3},
	} {
		var events []*event.Event
		for i, d := range c.steps {
			events = append(events, snapshot("e"+string(rune('1'+i)), int64(i+1), d))
		}
		if got := fold(event.NodeID{1}, "s/1", events, testRules()).row.ClosedAt; got != c.want*hour {
			t.Errorf("%s: closed at %d h, want %d h", c.name, got/hour, c.want)
		}
	}
}

func message(id string, at int64, d event.Direction, manager string) *event.Event {
	return &event.Event{ID: id, Source: "chat", Type: event.Message, Time: at * hour, Nodes: []event.Node{{Kind: "k", ID: event.NodeID{1}}},
		Message: &event.MessageData{Platform: "viber", Direction: d, Manager: manager}}
}

// TestConversations: the client writes at 10 and 12 and is answered at 13 and 14; writes 30 hours after that to Eva, whom nobody hears before
// he writes again, three days later, and is answered in the same hour. A message out of the blue answers nothing.
func TestConversations(t *testing.T) {
	f := Of(Journey{Events: []*event.Event{
		message("blue", 1, event.Out, "Ann"), message("a", 10, event.In, ""), message("b", 12, event.In, "Bob"), message("c", 13, event.Out, "Ann"), message("d", 14, event.Out, "Bob"),
		message("e", 44, event.In, "Eva"), message("f", 116, event.In, ""), message("g", 116, event.Out, ""),
	}}, testRules())
	type talk struct {
		id            string
		from, answers int64
		manager       string
	}
	var got []talk
	for _, c := range f.conversations {
		got = append(got, talk{c.ID, c.Time / hour, c.AnsweredAt / hour, c.Manager})
	}
	if want := []talk{{"chat/a", 10, 13, "Ann"}, {"chat/e", 44, 0, "Eva"}, {"chat/f", 116, 116, ""}}; !slices.Equal(got, want) {
		t.Errorf("conversations %v, want %v", got, want)
	}
}

// TestSteps: a deal that a paid visit and a direct one share was in one stage for 2 hours and for 1, in the other twice for 1, and is won. Linear
// gives each channel a half, last_non_direct all to the paid visit.
func TestSteps(t *testing.T) {
	stage := func(s, status string) event.DealData {
		return event.DealData{Stage: ptr(s), Pipeline: ptr("sales"), Status: ptr(status)}
	}
	f := Of(Journey{Events: []*event.Event{
		visit("v", 1, "g"), visit("w", 2, ""), snapshot("a", 3, stage("new", "open")), snapshot("b", 5, stage("contact", "open")), snapshot("c", 6, stage("new", "open")),
		snapshot("d", 7, stage("contact", "open")), snapshot("e", 8, stage("contact", "won")),
	}}, testRules())
	type step struct {
		channel, stage               string
		ended                        bool
		hours, linear, lastNonDirect int64
	}
	var got []step
	for _, s := range f.steps {
		got = append(got, step{s.Channel, s.Stage, s.Ended, s.Stayed / hour, s.Shares[fact.Linear-1], s.Shares[fact.LastNonDirect-1]})
	}
	want := []step{
		{"Paid Search", "new", true, 3, 500_000, 1_000_000}, {"Paid Search", "contact", true, 2, 500_000, 1_000_000}, {"Paid Search", "", false, 0, 500_000, 1_000_000},
		{"Direct", "new", true, 3, 500_000, 0}, {"Direct", "contact", true, 2, 500_000, 0}, {"Direct", "", false, 0, 500_000, 0},
	}
	if !slices.Equal(got, want) {
		t.Errorf("steps %v, want %v", got, want)
	}
	lean := testRules()
	lean.Lean = true
	if f := Of(Journey{Events: []*event.Event{message("a", 1, event.In, ""), snapshot("b", 3, stage("new", "won"))}}, lean); len(f.steps)+len(f.conversations) != 0 || f.deals[0].CreatedDate != 0 {
		t.Errorf("lean facts: %+v", f)
	}
}
