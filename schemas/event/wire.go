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
	r := reader{Event: &Event{}}
	if err := r.read(b); err != nil {
		return Event{}, err
	}
	return *r.Event, nil
}

// Decoder reads what facts are computed from, of one event after another: as Decode, but Raw and Received and a visit's address,
// referrer, title and click ids are passed over, and the key is made. The zero Decoder is ready. It is not safe for concurrent use.
type Decoder struct {
	words Words
	event Event
	visit VisitData
	nodes []Node
	read  reader
}

// Decode reads an event, which is the Decoder's own, with its Nodes and its Visit: good until the next call. Its other objects and all
// strings are the caller's.
func (d *Decoder) Decode(b []byte) (*Event, error) {
	d.event, d.visit = Event{Nodes: d.nodes[:0]}, VisitData{}
	d.read = reader{Event: &d.event, words: &d.words, visit: &d.visit}
	err := d.read.read(b)
	d.nodes = d.event.Nodes
	if err != nil {
		return nil, err
	}
	return &d.event, nil
}

// Keep is Decode for an event that stays, as Event.Keep.
func (d *Decoder) Keep(b []byte) (*Event, error) {
	e, err := d.Decode(b)
	if err != nil {
		return nil, err
	}
	return e.Keep(), nil
}

// reader fills an event.
type reader struct {
	*Event
	words *Words
	visit *VisitData // where a visit goes of which not all is wanted
	id    []byte
}

func (r *reader) read(b []byte) error {
	if err := wire.Fields(b, r.field); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	if r.visit == nil {
		r.ID = string(r.id)
	} else {
		r.key = r.Source + "/" + string(r.id)
		r.ID = r.key[len(r.Source)+1:]
	}
	if err := r.check(); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	return nil
}

func (r *reader) field(num wire.Num, v uint64, data []byte) error {
	e := r.Event
	switch num {
	case 1:
		e.Workspace = r.words.Of(data)
	case 2:
		if r.visit == nil {
			e.Received = wire.ToInt(v)
		}
	case 3:
		e.Content = v
	case 4:
		if r.visit == nil {
			e.Raw = data
		}
	case 5:
		r.id = data
	case 6:
		e.Source = r.words.Of(data)
	case 7:
		return wire.ToEnum(&e.Type, v)
	case 8:
		e.Time = wire.ToInt(v)
	case 9:
		n, err := decodeNode(data)
		e.Nodes = append(e.Nodes, n)
		return err
	default:
		return r.object(num, data)
	}
	return nil
}

func (r *reader) object(num wire.Num, data []byte) error {
	e := r.Event
	switch num {
	case 11:
		if e.Visit = r.visit; e.Visit == nil {
			e.Visit = &VisitData{}
		}
		return wire.Fields(data, r.visited)
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
