package reports

import (
	"encoding/binary"

	"github.com/throughline-io/throughline/schemas/event"
)

// union says which identifiers may belong together. It knows them by their first eight bytes: two that share these, which are of a keyed
// hash, would only put two persons into one part, whose recomputation goes by whole identifiers. Identifiers that no event names
// together with another need no entry.
type union struct {
	keys []uint64 // open addressing, 0 is empty; a power of two long
	up   []uint32 // slot of the parent, plus one; 0 is a root
	n    int
}

func prefix(id event.NodeID) uint64 { return max(1, binary.LittleEndian.Uint64(id[:8])) }

// slot is where a key stands or would stand.
func (u *union) slot(key uint64) int {
	i := int(key * 0x9E3779B97F4A7C15 >> 32 & uint64(len(u.keys)-1))
	for u.keys[i] != 0 && u.keys[i] != key {
		i = (i + 1) & (len(u.keys) - 1)
	}
	return i
}

func (u *union) grow() {
	old := *u
	size := max(1024, 2*len(old.keys))
	u.keys, u.up = make([]uint64, size), make([]uint32, size)
	for _, key := range old.keys {
		if key != 0 {
			u.keys[u.slot(key)] = key
		}
	}
	for i, key := range old.keys {
		if key != 0 && old.up[i] != 0 {
			u.up[u.slot(key)] = uint32(u.slot(old.keys[old.up[i]-1])) + 1
		}
	}
}

func (u *union) add(key uint64) int {
	if len(u.keys) > 0 {
		if i := u.slot(key); u.keys[i] == key {
			return i
		}
	}
	if 4*(u.n+1) > 3*len(u.keys) {
		u.grow()
	}
	i := u.slot(key)
	u.keys[i] = key
	u.n++
	return i
}

// root is the slot that stands for everybody joined with a slot.
func (u *union) root(i int) int {
	for u.up[i] != 0 {
		parent := int(u.up[i] - 1)
		if u.up[parent] != 0 {
			u.up[i] = u.up[parent]
		}
		i = parent
	}
	return i
}

func (u *union) join(a, b uint64) {
	u.add(a)
	u.add(b) // the table may have grown: only now do slots stay
	i, j := u.root(u.add(a)), u.root(u.add(b))
	switch {
	case u.keys[i] < u.keys[j]:
		u.up[j] = uint32(i) + 1
	case i != j:
		u.up[i] = uint32(j) + 1
	}
}

// part is which of n an event belongs to: that of its person, or of its key of spend.
func (u *union) part(e *event.Event, n int) int {
	if len(e.Nodes) == 0 {
		return int(prefix(event.SpendKey(e)) % uint64(n))
	}
	key := prefix(e.Nodes[0].ID)
	if len(u.keys) > 0 {
		if i := u.slot(key); u.keys[i] != 0 {
			key = u.keys[u.root(i)]
		}
	}
	return int(key % uint64(n))
}
