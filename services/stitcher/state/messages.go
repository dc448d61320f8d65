package state

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/wire"

	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// Envelope is a message between partitions with the workspace that it is in.
type Envelope struct {
	Workspace string
	identity.Message
}

// AppendMessage encodes an envelope.
func AppendMessage(b []byte, e *Envelope) []byte {
	b = wire.Bytes(b, 1, e.Workspace)
	m := &e.Message
	b = wire.Uint(b, 2, uint64(m.Kind))
	b = wire.ID(b, 3, m.To)
	b = wire.Bytes(b, 4, m.Cause)
	if m.Entry != nil {
		b = wire.Message(b, 5, func(b []byte) []byte { return AppendEntry(b, m.Entry) })
	}
	b = wire.ID(b, 6, m.Via)
	b = wire.ID(b, 7, m.Other)
	b = wire.ID(b, 8, m.Root)
	b = wire.Bytes(b, 9, m.Key)
	b = wire.Uint(b, 10, m.Version)
	b = appendIDs(b, 11, m.Members)
	for _, entry := range m.Journey {
		b = wire.Message(b, 12, func(b []byte) []byte { return AppendEntry(b, entry) })
	}
	b = wire.ID(b, 13, m.Needs)
	b = wire.ID(b, 14, m.Back)
	if m.Again != nil {
		b = wire.Bytes(b, 15, AppendMessage(nil, &Envelope{Message: *m.Again}))
	}
	if m.Lease != nil {
		b = wire.Bytes(b, 16, AppendLease(nil, m.Lease))
	}
	if m.Call != nil {
		b = wire.Bytes(b, 17, AppendCall(nil, m.Call))
	}
	return wire.Bool(b, 18, m.Staged)
}

// ParseMessage decodes an envelope, by a decoder.
func ParseMessage(b []byte, d *event.Decoder) (*Envelope, error) {
	e := &Envelope{}
	m := &e.Message
	return e, wire.Fields(b, func(num wire.Num, v uint64, data []byte) (err error) {
		switch num {
		case 1:
			e.Workspace = string(data)
		case 2:
			m.Kind = identity.Kind(v)
		case 3:
			err = wire.ToID(&m.To, data)
		case 4:
			m.Cause = string(data)
		case 5:
			m.Entry, err = ParseEntry(data, d)
		case 6:
			err = wire.ToID(&m.Via, data)
		case 7:
			err = wire.ToID(&m.Other, data)
		case 8:
			err = wire.ToID(&m.Root, data)
		case 9:
			m.Key = string(data)
		case 10:
			m.Version = v
		default:
			err = e.parsePerson(num, v, data, d)
		}
		return err
	})
}

func (e *Envelope) parsePerson(num wire.Num, v uint64, data []byte, d *event.Decoder) (err error) {
	m := &e.Message
	switch num {
	case 11:
		m.Members, err = parseIDs(data)
	case 12:
		var entry *identity.Entry
		if entry, err = ParseEntry(data, d); err == nil {
			m.Journey = append(m.Journey, entry)
		}
	case 13:
		err = wire.ToID(&m.Needs, data)
	case 14:
		err = wire.ToID(&m.Back, data)
	case 15:
		var again *Envelope
		if again, err = ParseMessage(data, d); err == nil {
			m.Again = &again.Message
		}
	case 16:
		m.Lease, err = ParseLease(data)
	case 17:
		m.Call, err = ParseCall(data)
	case 18:
		m.Staged = v != 0
	}
	return err
}
