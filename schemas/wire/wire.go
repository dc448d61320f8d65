// Package wire writes and reads protobuf's wire format by hand: what travels stays readable in any language through its
// .proto file, while Go keeps plain structs, without reflection and without generated types in every signature.
//
// Zero values are left out, as proto3 does; fields that are not known are passed over, so fields can be added. Reading
// never panics and allocates no more than it was given.
package wire

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrFormat marks bytes that are not in the wire format.
var ErrFormat = errors.New("not in the wire format")

// Num is a field's number. It is a type of its own because protowire's has named values, and a switch over fields is not one
// over those.
type Num int32

func tag(b []byte, num Num, typ protowire.Type) []byte {
	return protowire.AppendTag(b, protowire.Number(num), typ)
}

// Fields calls do for each field: v is the value of a varint or fixed64, data of a length-delimited field, aliasing b.
func Fields(b []byte, do func(num Num, v uint64, data []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return ErrFormat
		}
		b = b[n:]
		var v uint64
		var data []byte
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return ErrFormat
		}
		b = b[n:]
		if err := do(Num(num), v, data); err != nil {
			return fmt.Errorf("field %d: %w", num, err)
		}
	}
	return nil
}

// Uint appends a varint, unless it is zero.
func Uint(b []byte, num Num, v uint64) []byte {
	if v == 0 {
		return b
	}
	return Varint(b, num, v)
}

// Varint appends a varint, even if it is zero.
func Varint(b []byte, num Num, v uint64) []byte {
	return protowire.AppendVarint(tag(b, num, protowire.VarintType), v)
}

// ZigZag is how a signed number is written as a varint.
func ZigZag(v int64) uint64 { return protowire.EncodeZigZag(v) }

// Int appends a zigzag varint (sint64), unless it is zero.
func Int(b []byte, num Num, v int64) []byte { return Uint(b, num, protowire.EncodeZigZag(v)) }

// ToInt reads a zigzag varint.
func ToInt(v uint64) int64 { return protowire.DecodeZigZag(v) }

// ToEnum reads a value of a closed list; one that does not fit is refused, not cut.
func ToEnum[T ~uint8](to *T, v uint64) error {
	if v > math.MaxUint8 {
		return fmt.Errorf("%w: %d is not of a closed list", ErrFormat, v)
	}
	*to = T(v)
	return nil
}

// ToInt32 reads a zigzag varint that must fit 32 bits.
func ToInt32[T ~int32](to *T, v uint64) error {
	n := ToInt(v)
	if n < math.MinInt32 || n > math.MaxInt32 {
		return fmt.Errorf("%w: %d has more than 32 bits", ErrFormat, n)
	}
	*to = T(n)
	return nil
}

// Fixed appends a fixed64, unless it is zero.
func Fixed(b []byte, num Num, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendFixed64(tag(b, num, protowire.Fixed64Type), v)
}

// Bool appends a bool, unless it is false.
func Bool(b []byte, num Num, v bool) []byte { return Uint(b, num, protowire.EncodeBool(v)) }

// Bytes appends a string or bytes, unless it is empty.
func Bytes[T ~string | ~[]byte](b []byte, num Num, v T) []byte {
	if len(v) == 0 {
		return b
	}
	return Set(b, num, v)
}

// Set appends a string or bytes, even if it is empty: presence says something.
func Set[T ~string | ~[]byte](b []byte, num Num, v T) []byte {
	b = protowire.AppendVarint(tag(b, num, protowire.BytesType), uint64(len(v)))
	return append(b, v...)
}

// ID appends 16 bytes, unless all are zero.
func ID(b []byte, num Num, id [16]byte) []byte {
	if id == ([16]byte{}) {
		return b
	}
	return append(protowire.AppendVarint(tag(b, num, protowire.BytesType), uint64(len(id))), id[:]...)
}

// ToID reads 16 bytes.
func ToID[T ~[16]byte](to *T, data []byte) error {
	if len(data) != 16 {
		return fmt.Errorf("%w: an id has 16 bytes, not %d", ErrFormat, len(data))
	}
	*to = T(data)
	return nil
}

// Message appends a sub-message, even if it is empty: that it is there says something. The body is written in place, and
// its length before it once it is known.
func Message(b []byte, num Num, body func([]byte) []byte) []byte {
	b = tag(b, num, protowire.BytesType)
	start := len(b)
	b = body(b)
	n := len(b) - start
	size := protowire.SizeVarint(uint64(n))
	for range size {
		b = append(b, 0)
	}
	copy(b[start+size:], b[start:start+n])
	protowire.AppendVarint(b[:start], uint64(n))
	return b
}
