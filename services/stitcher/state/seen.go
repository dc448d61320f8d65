package state

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// seen is the nodes that a partition may hold something of: a Bloom filter in memory. Half of a site's visitors are new, and to find
// nothing of them would otherwise cost a look into everything that is not on disk yet. Where it says no, there is nothing; now and then, and
// always until it has read what the store held before it, it says maybe.
type seen struct {
	mu     sync.RWMutex
	whole  bool // what the store held before is in it
	full   bool // there were too many
	layers [][]block
	room   int // how many the last layer takes
}

// block is where all bits of an id stand, so that a look costs one line of memory.
type block [8]uint64

const (
	// mostSeen bounds how many nodes of a partition are remembered, in 1.25 to 2.5 bytes each: where there are more, the store is always
	// asked.
	mostSeen = 8 << 20
	// firstSeen is how many the first layer takes. Each takes as many as all before it and the first again.
	firstSeen = 16 << 10
	seenBits  = 10 // of an id
)

// may reports that there may be something of a node.
func (s *seen) may(id identity.ID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return !s.whole || s.full || s.has(id)
}

// add is to be called before anything of a node can be read.
func (s *seen) add(id identity.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full || s.has(id) {
		return
	}
	if s.room == 0 && !s.grow() {
		return
	}
	s.room--
	last := s.layers[len(s.layers)-1]
	b := &last[place(id, last)]
	for h := spread(id); h > 1; h >>= 9 {
		b[h>>6&7] |= 1 << (h & 63)
	}
}

// grow adds a layer. Beyond mostSeen it lets go of all.
func (s *seen) grow() bool {
	n := firstSeen << len(s.layers)
	if 2*n > mostSeen {
		s.full, s.layers = true, nil
		return false
	}
	s.layers, s.room = append(s.layers, make([]block, n*seenBits/512)), n
	return true
}

// bytes is the memory that it takes.
func (s *seen) bytes() (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, layer := range s.layers {
		n += len(layer) * 8 * len(block{})
	}
	return n
}

func (s *seen) has(id identity.ID) bool {
	h := spread(id)
	for i := len(s.layers) - 1; i >= 0; i-- { // the last holds as many as all others
		if s.layers[i][place(id, s.layers[i])].has(h) {
			return true
		}
	}
	return false
}

func (b *block) has(h uint64) bool {
	for ; h > 1; h >>= 9 {
		if b[h>>6&7]&(1<<(h&63)) == 0 {
			return false
		}
	}
	return true
}

// place is the block of an id. Ids are hashes, so parts of them serve; the first bytes do not, for they tell the partition.
func place(id identity.ID, layer []block) int {
	hi, _ := bits.Mul64(binary.BigEndian.Uint64(id[8:]), uint64(len(layer)))
	return int(hi)
}

// spread is six bits of a block, nine bits each, behind a one that ends them.
func spread(id identity.ID) uint64 {
	const mixed = 0x9e37_79b9_7f4a_7c15
	return binary.BigEndian.Uint64(id[:8])*mixed>>10 | 1<<54
}

// readInto adds all nodes of an iterator, which it closes. It is not whole where the store was closed meanwhile.
func (s *Store) readInto(f *seen, it *pebble.Iterator) (whole bool, err error) {
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() { // not NextPrefix, whose ImmediateSuccessor stands before some of a node's keys
		select {
		case <-s.closing:
			return false, nil
		default:
		}
		key := it.Key()[partitionBytes:]
		if len(key) > 0 && key[0] == 0 { // the position
			continue
		}
		p, err := splitKey(key)
		if err != nil {
			return false, err
		}
		f.add(p.id)
	}
	return true, it.Error()
}
