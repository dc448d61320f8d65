package state

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/identity"
)

var errWire = errors.New("not in the wire format")

// Fields calls do for each field of a message: num, and v of a varint or data of a length-delimited one. Fields of
// other types are passed over.
func Fields(b []byte, do func(num protowire.Number, v uint64, data []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errWire
		}
		b = b[n:]
		var v uint64
		var data []byte
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return errWire
		}
		b = b[n:]
		if err := do(num, v, data); err != nil {
			return err
		}
	}
	return nil
}

// AppendUint writes a varint field, unless it is zero.
func AppendUint(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

// AppendBytes writes a length-delimited field, unless it is empty.
func AppendBytes[T string | []byte](b []byte, num protowire.Number, v T) []byte {
	if len(v) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), []byte(v))
}

// AppendID writes an id, unless it is zero.
func AppendID(b []byte, num protowire.Number, id identity.ID) []byte {
	if id == (identity.ID{}) {
		return b
	}
	return AppendBytes(b, num, id[:])
}

// ParseID reads an id of 16 bytes.
func ParseID(to *identity.ID, data []byte) error {
	if len(data) != len(to) {
		return errors.New("an id has 16 bytes")
	}
	*to = identity.ID(data)
	return nil
}

// AppendIDs writes many ids as one field.
func AppendIDs(b []byte, num protowire.Number, ids []identity.ID) []byte {
	flat := make([]byte, 0, len(ids)*16)
	for _, id := range ids {
		flat = append(flat, id[:]...)
	}
	return AppendBytes(b, num, flat)
}

// ParseIDs reads what AppendIDs wrote.
func ParseIDs(data []byte) ([]identity.ID, error) {
	if len(data)%16 != 0 {
		return nil, errors.New("ids have 16 bytes each")
	}
	ids := make([]identity.ID, 0, len(data)/16)
	for ; len(data) > 0; data = data[16:] {
		ids = append(ids, identity.ID(data[:16]))
	}
	return ids, nil
}

func parseEvent(b []byte) (*event.Event, error) {
	e, err := event.Decode(b)
	if err != nil {
		return nil, err
	}
	return &e, nil
}
