package state

import (
	"fmt"

	"github.com/throughline-io/throughline/schemas/wire"
	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// appendIDs writes many ids as one field.
func appendIDs(b []byte, num wire.Num, ids []identity.ID) []byte {
	if len(ids) == 0 {
		return b
	}
	return wire.Message(b, num, func(b []byte) []byte {
		for _, id := range ids {
			b = append(b, id[:]...)
		}
		return b
	})
}

// parseIDs reads what appendIDs wrote.
func parseIDs(data []byte) ([]identity.ID, error) {
	const size = len(identity.ID{})
	if len(data)%size != 0 {
		return nil, fmt.Errorf("%w: ids have %d bytes each", wire.ErrFormat, size)
	}
	ids := make([]identity.ID, 0, len(data)/size)
	for ; len(data) > 0; data = data[size:] {
		ids = append(ids, identity.ID(data[:size]))
	}
	return ids, nil
}
