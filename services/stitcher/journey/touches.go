package journey

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// conversationGap is the silence (ms) between inbound messages of one person on one platform after which a new
// conversation begins: more than it, not just it.
const conversationGap = 24 * 60 * 60 * 1000

// walk finds touches and inquiries. Events come sorted by (time, key), so touches are sorted by (time, touch id).
func (b *builder) walk(events []*event.Event) {
	heard := map[string]int64{} // platform → time of the last inbound message
	for _, e := range events {
		switch e.Type {
		case event.Visit:
			b.touch(e, b.rules.Classify(e.Visit.Origin))
		case event.Form:
			b.inquiry(e)
		case event.Call:
			b.call(e)
		case event.Message:
			if e.Message.Direction != event.In {
				continue
			}
			last, known := heard[e.Message.Platform]
			heard[e.Message.Platform] = e.Time
			if known && e.Time-last <= conversationGap {
				continue
			}
			b.touch(e, b.messageTuple(e.Message))
			b.inquiry(e)
		case event.Deal, event.Spend, event.Identify, event.NumberLease: // neither touch nor inquiry
		}
	}
	b.bookInquiries()
}

func (b *builder) messageTuple(m *event.MessageData) fact.Tuple {
	if m.UTM.Empty() {
		return b.rules.Tuple(event.UTM{Source: m.Platform, Medium: "messenger"})
	}
	return b.rules.Tuple(m.UTM)
}

func (b *builder) touch(e *event.Event, t fact.Tuple) {
	b.touches = append(b.touches, fact.Touch{Person: b.Person, Type: e.Type, Touchpoint: fact.Touchpoint{
		ID: e.Key(), Time: e.Time, Date: b.rules.Date(e.Time), Tuple: t,
	}})
}

func (b *builder) inquiry(e *event.Event) {
	b.inquiries = append(b.inquiries, fact.InquiryRow{
		Person: b.Person, ID: e.Key(), Type: e.Type, Time: e.Time, Date: b.rules.Date(e.Time),
	})
}

// call is an inquiry if the client called, and a touch if the number or the tag says where the client saw it.
func (b *builder) call(e *event.Event) {
	c := e.Call
	row := fact.CallRow{
		Person: b.Person, ID: e.Key(), Time: e.Time, Date: b.rules.Date(e.Time), Direction: c.Direction, Status: c.Status,
		Company: c.Company, Wait: c.Wait, Talk: c.Talk, Manager: c.Manager, Match: "none",
	}
	if c.Direction == event.In {
		b.inquiry(e)
		utm, static := b.rules.Static[c.Company]
		switch {
		case !c.UTM.Empty():
			b.touch(e, b.rules.Tuple(c.UTM))
		case static:
			b.touch(e, b.rules.Tuple(utm))
		}
		switch {
		case b.rules.Pool[c.Company]:
			row.Match, row.Visitor = b.matches[e.Key()].describe()
		case static:
			row.Match = "static"
		}
	}
	b.calls = append(b.calls, row)
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
