package state

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/throughline-io/throughline/services/stitcher/identity"
)

func appendNode(b []byte, r identity.Record) []byte {
	b = AppendUint(b, 1, protowire.EncodeBool(r.Owner))
	b = AppendIDs(b, 2, r.Members)
	pairs := make([]identity.ID, 0, 2*len(r.Moved))
	for x, to := range r.Moved {
		pairs = append(pairs, x, to)
	}
	b = AppendIDs(b, 3, pairs)
	return AppendUint(b, 15, 1) // a record is never empty: an empty value would read as a tombstone
}

func parseNode(b []byte) (r identity.Record, err error) {
	r.Moved = map[identity.ID]identity.ID{}
	err = Fields(b, func(num protowire.Number, v uint64, data []byte) (err error) {
		switch num {
		case 1:
			r.Owner = v == 1
		case 2:
			r.Members, err = ParseIDs(data)
		case 3:
			pairs, err := ParseIDs(data)
			if err != nil {
				return err
			}
			for i := 0; i+1 < len(pairs); i += 2 {
				r.Moved[pairs[i]] = pairs[i+1]
			}
		}
		return err
	})
	return r, err
}

// AppendEntry encodes an entry whole: in a changelog and in a message alike.
func AppendEntry(b []byte, e *identity.Entry) []byte {
	b = AppendBytes(b, 1, e.Key)
	b = AppendUint(b, 2, e.Version)
	b = AppendID(b, 3, e.Home)
	b = AppendIDs(b, 4, e.Joins)
	if e.Event != nil {
		b = AppendBytes(b, 5, e.Event.Append(nil))
	}
	if e.Match != nil {
		b = AppendUint(b, 6, uint64(e.Match.State)+1)
		b = AppendID(b, 7, e.Match.Visitor)
	}
	return b
}

// ParseEntry decodes an entry.
func ParseEntry(b []byte) (*identity.Entry, error) {
	e := &identity.Entry{}
	return e, Fields(b, func(num protowire.Number, v uint64, data []byte) (err error) {
		switch num {
		case 1:
			e.Key = string(data)
		case 2:
			e.Version = v
		case 3:
			err = ParseID(&e.Home, data)
		case 4:
			e.Joins, err = ParseIDs(data)
		case 5:
			e.Event, err = parseEvent(data)
		case 6:
			e.Match = &identity.Match{State: identity.MatchState(v - 1)}
		case 7:
			if e.Match == nil {
				return errWire
			}
			err = ParseID(&e.Match.Visitor, data)
		}
		return err
	})
}

// AppendLease encodes a lease.
func AppendLease(b []byte, l *identity.Lease) []byte {
	b = AppendBytes(b, 1, l.Key)
	b = AppendUint(b, 2, uint64(l.From))
	b = AppendUint(b, 3, uint64(l.Until))
	return AppendID(b, 4, l.Visitor)
}

// ParseLease decodes a lease.
func ParseLease(b []byte) (*identity.Lease, error) {
	l := &identity.Lease{}
	return l, Fields(b, func(num protowire.Number, v uint64, data []byte) (err error) {
		switch num {
		case 1:
			l.Key = string(data)
		case 2:
			l.From = int64(v)
		case 3:
			l.Until = int64(v)
		case 4:
			err = ParseID(&l.Visitor, data)
		}
		return err
	})
}

// AppendCall encodes a call to a number.
func AppendCall(b []byte, c *identity.Call) []byte {
	b = AppendBytes(b, 1, c.Key)
	b = AppendUint(b, 2, uint64(c.Time))
	b = AppendID(b, 3, c.Home)
	b = AppendUint(b, 4, c.Version)
	b = AppendUint(b, 5, uint64(c.Match.State))
	return AppendID(b, 6, c.Match.Visitor)
}

// ParseCall decodes a call to a number.
func ParseCall(b []byte) (*identity.Call, error) {
	c := &identity.Call{}
	return c, Fields(b, func(num protowire.Number, v uint64, data []byte) (err error) {
		switch num {
		case 1:
			c.Key = string(data)
		case 2:
			c.Time = int64(v)
		case 3:
			err = ParseID(&c.Home, data)
		case 4:
			c.Version = v
		case 5:
			c.Match.State = identity.MatchState(v)
		case 6:
			err = ParseID(&c.Match.Visitor, data)
		}
		return err
	})
}
