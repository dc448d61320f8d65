package state

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/wire"
	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// AppendTask encodes what a node does in steps.
func AppendTask(b []byte, t *identity.Task) []byte {
	b = wire.Uint(b, 1, uint64(t.Op))
	b = wire.Uint(b, 2, uint64(t.Phase))
	b = wire.Uint(b, 3, uint64(t.Done))
	b = wire.Bool(b, 4, t.Settle)
	return wire.Bytes(b, 5, AppendMessage(nil, &Envelope{Message: t.Header}))
}

// ParseTask decodes a task, by a decoder.
func ParseTask(b []byte, d *event.Decoder) (*identity.Task, error) {
	t := &identity.Task{}
	return t, wire.Fields(b, func(num wire.Num, v uint64, data []byte) error {
		switch num {
		case 1:
			return wire.ToEnum(&t.Op, v)
		case 2:
			return wire.ToEnum(&t.Phase, v)
		case 3:
			t.Done = int(v)
		case 4:
			t.Settle = v != 0
		case 5:
			m, err := ParseMessage(data, d)
			t.Header = m.Message
			return err
		}
		return nil
	})
}
