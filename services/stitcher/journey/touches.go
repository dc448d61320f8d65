package journey

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// conversationGap is the silence (ms) between inbound messages of one person on one platform after which a new
// conversation begins: more than it, not just it.
const conversationGap = 24 * 60 * 60 * 1000

// units are what single events are: rows of their own.
type units struct {
	person event.NodeID
	rules  *Rules
}

// begins reports whether an inbound message begins a conversation, by the one before it on its platform.
func begins(e, last *event.Event) bool { return last == nil || e.Time-last.Time > conversationGap }

func (u units) visit(e *event.Event) fact.Touch { return u.touch(e, u.rules.Classify(e.Visit.Origin)) }

// messageTouch is the touch of a message that begins a conversation.
func (u units) messageTouch(e *event.Event) fact.Touch {
	if e.Message.UTM.Empty() {
		return u.touch(e, u.rules.Tuple(event.UTM{Source: e.Message.Platform, Medium: "messenger"}))
	}
	return u.touch(e, u.rules.Tuple(e.Message.UTM))
}

func (u units) touch(e *event.Event, t fact.Tuple) fact.Touch {
	return fact.Touch{Person: u.person, Type: e.Type, Touchpoint: fact.Touchpoint{ID: e.Key(), Time: e.Time, Date: u.rules.Date(e.Time), Tuple: t}}
}

func (u units) inquiry(e *event.Event) fact.InquiryRow {
	return fact.InquiryRow{Person: u.person, ID: e.Key(), Type: e.Type, Time: e.Time, Date: u.rules.Date(e.Time)}
}

// callTouch is the touch of a call, if the number or the tag says where the client saw it.
func (u units) callTouch(e *event.Event) (fact.Touch, bool) {
	c := e.Call
	if c.Direction != event.In {
		return fact.Touch{}, false
	}
	if !c.UTM.Empty() {
		return u.touch(e, u.rules.Tuple(c.UTM)), true
	}
	if utm, static := u.rules.Static[c.Company]; static {
		return u.touch(e, u.rules.Tuple(utm)), true
	}
	return fact.Touch{}, false
}

// call is a call's row; an inbound one is an inquiry beside it.
func (u units) call(e *event.Event, m Match) fact.CallRow {
	c := e.Call
	row := fact.CallRow{
		Person: u.person, ID: e.Key(), Time: e.Time, Date: u.rules.Date(e.Time), Direction: c.Direction, Status: c.Status,
		Company: c.Company, Wait: c.Wait, Talk: c.Talk, Manager: c.Manager, Match: "none",
	}
	if c.Direction == event.In {
		if u.rules.Pool[c.Company] {
			row.Match, row.Visitor = m.describe()
		} else if _, static := u.rules.Static[c.Company]; static {
			row.Match = "static"
		}
	}
	return row
}

func (m Match) describe() (string, event.NodeID) {
	switch m.State {
	case Matched:
		return "matched", m.Visitor
	case Ambiguous:
		return "ambiguous", event.NodeID{}
	case Unmatched:
	}
	return "unmatched", event.NodeID{}
}
