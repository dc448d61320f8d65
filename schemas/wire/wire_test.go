package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// A message's length is written before its body, which was written first: it must make room for itself.
func TestMessageMakesRoomForItsLength(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 16383, 16384, 1 << 21} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			body := bytes.Repeat([]byte("x"), n)
			got := Message([]byte("before"), 3, func(b []byte) []byte { return append(b, body...) })
			want := protowire.AppendBytes(protowire.AppendTag([]byte("before"), 3, protowire.BytesType), body)
			if !bytes.Equal(got, want) {
				t.Fatalf("%d bytes, want %d", len(got), len(want))
			}
			nested := Message(nil, 1, func(b []byte) []byte { return Message(b, 2, func(b []byte) []byte { return append(b, body...) }) })
			var inner []byte
			err := Fields(nested, func(_ Num, _ uint64, data []byte) error {
				return Fields(data, func(_ Num, _ uint64, data []byte) error { inner = data; return nil })
			})
			if err != nil || !bytes.Equal(inner, body) {
				t.Fatalf("%v, %d bytes", err, len(inner))
			}
		})
	}
}

func TestZeroIsLeftOut(t *testing.T) {
	b := Uint(nil, 1, 0)
	b = Int(b, 2, 0)
	b = Fixed(b, 3, 0)
	b = Bool(b, 4, false)
	b = Bytes(b, 5, "")
	if b = ID(b, 6, [16]byte{}); len(b) != 0 {
		t.Fatalf("%x", b)
	}
	if len(Set(nil, 1, "")) == 0 || len(Varint(nil, 1, 0)) == 0 {
		t.Fatal("what is set to zero must be there")
	}
}

func TestNumbersThatDoNotFit(t *testing.T) {
	var small uint8
	if err := ToEnum(&small, 255); err != nil || small != 255 {
		t.Fatal(err)
	}
	if err := ToEnum(&small, 256); !errors.Is(err, ErrFormat) {
		t.Fatalf("256 became %d", small)
	}
	var medium int32
	for _, n := range []int64{math.MinInt32, math.MaxInt32} {
		if err := ToInt32(&medium, ZigZag(n)); err != nil || int64(medium) != n {
			t.Fatalf("%d became %d: %v", n, medium, err)
		}
	}
	for _, n := range []int64{math.MinInt32 - 1, math.MaxInt32 + 1, math.MinInt64, math.MaxInt64} {
		if err := ToInt32(&medium, ZigZag(n)); !errors.Is(err, ErrFormat) {
			t.Fatalf("%d became %d", n, medium)
		}
	}
	var id [16]byte
	if err := ToID(&id, make([]byte, 17)); !errors.Is(err, ErrFormat) {
		t.Fatal("17 bytes are no id")
	}
}
