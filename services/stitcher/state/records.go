package state

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/wire"

	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// AppendEntry encodes an entry whole: in a changelog and in a message alike.
func AppendEntry(b []byte, e *identity.Entry) []byte {
	b = wire.Bytes(b, 1, e.Key)
	b = wire.Uint(b, 2, e.Version)
	b = wire.ID(b, 3, e.Home)
	b = appendIDs(b, 4, e.Joins)
	if e.Event != nil {
		b = wire.Message(b, 5, e.Event.Append)
	}
	if e.Match != nil {
		b = wire.Uint(b, 6, uint64(e.Match.State)+1)
		b = wire.ID(b, 7, e.Match.Visitor)
	}
	return b
}

// ParseEntry decodes an entry, by a decoder.
func ParseEntry(b []byte, d *event.Decoder) (*identity.Entry, error) {
	e := &identity.Entry{}
	var key []byte
	err := wire.Fields(b, func(num wire.Num, v uint64, data []byte) (err error) {
		switch num {
		case 1:
			key = data
		case 2:
			e.Version = v
		case 3:
			err = wire.ToID(&e.Home, data)
		case 4:
			e.Joins, err = parseIDs(data)
		case 5:
			e.Event, err = d.Keep(data)
		case 6:
			e.Match = &identity.Match{State: identity.MatchState(v - 1)}
		case 7:
			if e.Match == nil {
				return wire.ErrFormat
			}
			err = wire.ToID(&e.Match.Visitor, data)
		}
		return err
	})
	if e.Event != nil && e.Event.Key() == string(key) {
		e.Key = e.Event.Key() // one string for both
	} else {
		e.Key = string(key)
	}
	return e, err
}

// AppendLease encodes a lease.
func AppendLease(b []byte, l *identity.Lease) []byte {
	b = wire.Bytes(b, 1, l.Key)
	b = wire.Uint(b, 2, uint64(l.From))
	b = wire.Uint(b, 3, uint64(l.Until))
	return wire.Bool(wire.ID(b, 4, l.Visitor), 5, l.Several)
}

// ParseLease decodes a lease.
func ParseLease(b []byte) (*identity.Lease, error) {
	l := &identity.Lease{}
	return l, wire.Fields(b, func(num wire.Num, v uint64, data []byte) (err error) {
		switch num {
		case 1:
			l.Key = string(data)
		case 2:
			l.From = int64(v)
		case 3:
			l.Until = int64(v)
		case 4:
			err = wire.ToID(&l.Visitor, data)
		case 5:
			l.Several = v != 0
		}
		return err
	})
}

// AppendCall encodes a call to a number.
func AppendCall(b []byte, c *identity.Call) []byte {
	b = wire.Bytes(b, 1, c.Key)
	b = wire.Uint(b, 2, uint64(c.Time))
	b = wire.ID(b, 3, c.Home)
	b = wire.Uint(b, 4, c.Version)
	b = wire.Uint(b, 5, uint64(c.Match.State))
	return wire.ID(b, 6, c.Match.Visitor)
}

// ParseCall decodes a call to a number.
func ParseCall(b []byte) (*identity.Call, error) {
	c := &identity.Call{}
	return c, wire.Fields(b, func(num wire.Num, v uint64, data []byte) (err error) {
		switch num {
		case 1:
			c.Key = string(data)
		case 2:
			c.Time = int64(v)
		case 3:
			err = wire.ToID(&c.Home, data)
		case 4:
			c.Version = v
		case 5:
			c.Match.State = identity.MatchState(v)
		case 6:
			err = wire.ToID(&c.Match.Visitor, data)
		}
		return err
	})
}
