package journey

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// conversation is the row of one that a message begins, not answered yet.
func (u units) conversation(e *event.Event) fact.ConversationRow {
	return fact.ConversationRow{
		Person: u.person, ID: e.Key(), Platform: e.Message.Platform, Time: e.Time, Date: u.rules.Date(e.Time), Manager: e.Message.Manager,
	}
}

// answer takes an outbound message into the conversation that it falls into: the first one answers.
func answer(c *fact.ConversationRow, e *event.Event) {
	if c.AnsweredAt != 0 {
		return
	}
	c.AnsweredAt = e.Time
	if e.Message.Manager != "" {
		c.Manager = e.Message.Manager
	}
}

// platform is a person's messages on one, each list sorted.
type platform struct {
	heard sorted[*event.Event] // inbound
	begun sorted[*event.Event] // inbound ones that begin a conversation
	said  sorted[*event.Event] // outbound
}

// talk is a conversation as it stood before the change; row is nil if it did not.
type talk struct {
	on    *platform
	first *event.Event
	row   *fact.ConversationRow
}

func placeOfMessage(list *sorted[*event.Event], e *event.Event) place {
	return list.find(func(o *event.Event) bool { return compareEvents(o, e) < 0 })
}

// holds reports that an event is in a list.
func holds(list *sorted[*event.Event], e *event.Event) bool {
	found, ok := list.get(placeOfMessage(list, e))
	return ok && found == e
}

// message takes a message in.
func (c *change) message(e *event.Event) {
	if c.platforms == nil {
		c.platforms = map[string]*platform{}
	}
	on := c.platforms[e.Message.Platform]
	if on == nil {
		on = &platform{}
		c.platforms[e.Message.Platform] = on
	}
	// Which conversation it falls into, and what that one's answer is, may change.
	if during, ok := on.begun.prev(placeOfMessage(&on.begun, e)); ok {
		c.remember(on, during, true)
	}
	if e.Message.Direction == event.In {
		c.hear(on, e)
	} else {
		on.said.insert(placeOfMessage(&on.said, e), e)
	}
}

// hear puts an inbound message among those of its platform: it may begin a conversation, and the next may begin one no longer.
func (c *change) hear(on *platform, e *event.Event) {
	p := placeOfMessage(&on.heard, e)
	last, _ := on.heard.prev(p)
	next, more := on.heard.get(p)
	on.heard.insert(p, e)
	if more && begins(next, last) && !begins(next, e) {
		c.remember(on, next, true)
		on.begun.remove(placeOfMessage(&on.begun, next))
		c.goes(next)
	}
	if begins(e, last) {
		c.remember(on, e, false)
		on.begun.insert(placeOfMessage(&on.begun, e), e)
		c.comes(c.messageTouch(e))
		c.asks(e)
	}
}

// remember keeps a conversation as it stood before the first of the changes that touch it.
func (c *change) remember(on *platform, first *event.Event, stood bool) {
	if c.building || c.rules.Lean {
		return
	}
	if c.remembered[first] {
		return
	}
	if c.remembered == nil {
		c.remembered = map[*event.Event]bool{}
	}
	c.remembered[first] = true
	t := talk{on: on, first: first}
	if stood {
		row := c.conversationOn(on, first)
		t.row = &row
	}
	c.talks = append(c.talks, t)
}

// conversationOn is the row of a conversation as its platform has it now.
func (c *change) conversationOn(on *platform, first *event.Event) fact.ConversationRow {
	row := c.conversation(first)
	said, ok := on.said.get(placeOfMessage(&on.said, first))
	if !ok {
		return row
	}
	after := on.begun.next(placeOfMessage(&on.begun, first))
	if following, more := on.begun.get(after); !more || compareEvents(said, following) < 0 {
		answer(&row, said)
	}
	return row
}

// addConversations adds those that may have changed, as they stood and as they stand.
func (c *change) addConversations() {
	for _, t := range c.talks {
		if t.row != nil {
			c.before.conversations = append(c.before.conversations, *t.row)
		}
		if holds(&t.on.begun, t.first) {
			c.after.conversations = append(c.after.conversations, c.conversationOn(t.on, t.first))
		}
	}
}
