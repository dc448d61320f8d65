package state

import (
	"bytes"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// known is what is in memory of a partition: which nodes there are, and what was said of some of them.
type known struct {
	seen   seen
	recent recent
}

// knownOf is what is in memory of a partition. The first call lets the filter read what the store holds, in the background.
func (s *Store) knownOf(partition int32) (*known, error) {
	s.mu.RLock()
	k := s.known[partition]
	s.mu.RUnlock()
	if k != nil {
		return k, nil
	}
	s.mu.Lock() // no batch is applied meanwhile: it either is in what is read now or finds the filter
	defer s.mu.Unlock()
	if k = s.known[partition]; k != nil {
		return k, nil
	}
	it, err := s.db.NewIter(bounds(partition))
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	k = &known{}
	s.known[partition] = k
	f := &k.seen
	s.reading.Go(func() {
		s.oneReads.Lock() // a start has more to do than this
		defer s.oneReads.Unlock()
		if whole, err := s.readInto(f, it); err != nil {
			s.logf("state: which nodes partition %d holds is not known, so that each new one is looked for: %v", partition, err)
		} else if whole {
			f.mu.Lock()
			f.whole = true
			f.mu.Unlock()
		}
	})
	return k, nil
}

// Forget lets go of what is in memory of a partition's nodes that were used of late, as somebody else has the partition now.
func (s *Store) Forget(partition int32) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k := s.known[partition]; k != nil {
		k.recent.reset()
	}
}

// recentLimit is how many bytes a partition may have of them, under mu.
func (s *Store) recentLimit() int { return s.recentBytes / max(1, len(s.known)) }

// FilterBytes is the memory that it takes to know which nodes are not there.
func (s *Store) FilterBytes() int { return s.sum(func(k *known) int { return k.seen.bytes() }) }

// RecentBytes is the memory of what was used of late, about.
func (s *Store) RecentBytes() int { return s.sum(func(k *known) int { return k.recent.bytes() }) }

func (s *Store) sum(of func(*known) int) (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range s.known {
		n += of(k)
	}
	return n
}

// written is a node of which a batch writes something.
type written struct {
	partition int32
	id        identity.ID
	records   []Record // in the order of their keys
}

func (w *written) workspace() []byte {
	key := w.records[0].Key
	return key[:bytes.IndexByte(key, 0)]
}

// commit makes a batch the store's own, and what it writes of nodes known before anybody can read it.
func (s *Store) commit(b *pebble.Batch, nodes []written) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.recentLimit()
	for i := range nodes {
		n := &nodes[i]
		k := s.known[n.partition]
		if k == nil {
			continue
		}
		none := !k.seen.may(n.id)
		k.seen.add(n.id)
		k.recent.change(n, none, limit)
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		for _, k := range s.known { // they know what the store does not
			k.recent.reset()
		}
		return fmt.Errorf("state: %w", err)
	}
	return nil
}
