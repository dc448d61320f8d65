package event

import (
	"fmt"

	"github.com/throughline-io/throughline/schemas/wire"
)

// Append writes the event in the wire format that event.proto documents.
func (e *Event) Append(b []byte) []byte {
	b = wire.Bytes(b, 1, e.Workspace)
	b = wire.Int(b, 2, e.Received)
	b = wire.Fixed(b, 3, e.Content)
	b = wire.Bytes(b, 4, e.Raw)
	return e.appendMeaning(b)
}

// appendMeaning writes all that may matter to facts: what Content is a hash of.
func (e *Event) appendMeaning(b []byte) []byte {
	b = wire.Bytes(b, 5, e.ID)
	b = wire.Bytes(b, 6, e.Source)
	b = wire.Uint(b, 7, uint64(e.Type))
	b = wire.Int(b, 8, e.Time)
	for _, n := range e.Nodes {
		b = wire.Message(b, 9, func(b []byte) []byte {
			return wire.ID(wire.Bytes(b, 1, n.Kind), 2, n.ID)
		})
	}
	switch {
	case e.Visit != nil:
		b = wire.Message(b, 11, e.Visit.append)
	case e.Call != nil:
		b = wire.Message(b, 12, e.Call.append)
	case e.Message != nil:
		b = wire.Message(b, 13, e.Message.append)
	case e.Form != nil:
		b = wire.Message(b, 14, e.Form.append)
	case e.Deal != nil:
		b = wire.Message(b, 15, e.Deal.append)
	case e.Spend != nil:
		b = wire.Message(b, 16, e.Spend.append)
	case e.Lease != nil:
		b = wire.Message(b, 18, e.Lease.append)
	}
	return b
}

// Decode reads an event. Raw aliases b, everything else is copied. It never panics; what it returns keeps the
// invariants of Event.
func Decode(b []byte) (Event, error) {
	var e Event
	if err := wire.Fields(b, e.field); err != nil {
		return Event{}, fmt.Errorf("event: %w", err)
	}
	if err := e.check(); err != nil {
		return Event{}, fmt.Errorf("event: %w", err)
	}
	return e, nil
}

func (e *Event) field(num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		e.Workspace = string(data)
	case 2:
		e.Received = wire.ToInt(v)
	case 3:
		e.Content = v
	case 4:
		e.Raw = data
	case 5:
		e.ID = string(data)
	case 6:
		e.Source = string(data)
	case 7:
		return wire.ToEnum(&e.Type, v)
	case 8:
		e.Time = wire.ToInt(v)
	case 9:
		n, err := decodeNode(data)
		e.Nodes = append(e.Nodes, n)
		return err
	default:
		return e.object(num, data)
	}
	return nil
}

func (e *Event) object(num wire.Num, data []byte) error {
	switch num {
	case 11:
		e.Visit = &VisitData{}
		return wire.Fields(data, e.Visit.field)
	case 12:
		e.Call = &CallData{}
		return wire.Fields(data, e.Call.field)
	case 13:
		e.Message = &MessageData{}
		return wire.Fields(data, e.Message.field)
	case 14:
		e.Form = &FormData{}
		return wire.Fields(data, e.Form.field)
	case 15:
		e.Deal = &DealData{}
		return wire.Fields(data, e.Deal.field)
	case 16:
		e.Spend = &SpendData{}
		return wire.Fields(data, e.Spend.field)
	case 18:
		e.Lease = &LeaseData{}
		return wire.Fields(data, e.Lease.field)
	}
	return nil
}

func decodeNode(b []byte) (n Node, err error) {
	err = wire.Fields(b, func(num wire.Num, _ uint64, data []byte) error {
		switch num {
		case 1:
			n.Kind = internKind(data)
		case 2:
			return wire.ToID(&n.ID, data)
		}
		return nil
	})
	return n, err
}

// usualKinds are the kinds of identity that nearly all nodes have: one string serves all of them.
var usualKinds = func() map[string]string {
	m := map[string]string{}
	for _, k := range []string{
		"anonymous_id", "phone", "email", "user_id", "crm_contact", "telegram", "viber", "vk", "instagram", "messenger",
		"ga_client_id", "ym_client_id", "deal",
	} {
		m[k] = k
	}
	return m
}()

func internKind(b []byte) string {
	if k, ok := usualKinds[string(b)]; ok {
		return k
	}
	return string(b)
}
