package collector

import (
	"hash/maphash"
	"sync"

	"github.com/throughline-io/throughline/schemas/event"
)

// recent remembers the events acknowledged last, so that a duplicate can be told at the door. It forgets the oldest; the
// stitcher is the one that never does.
type recent struct {
	seed maphash.Seed
	mu   sync.Mutex
	ring []seen
	next int
	have map[seen]struct{}
}

// seen names an event with its content: the same id with other content is not the same. The name is hashed under a seed of
// this process, so that nobody can make an event which is taken for another one.
type seen struct{ name, content uint64 }

func newRecent(size int) *recent {
	return &recent{seed: maphash.MakeSeed(), ring: make([]seen, size), have: make(map[seen]struct{}, size)}
}

func (r *recent) name(e *event.Event) seen {
	return seen{maphash.String(r.seed, e.Workspace+"\x00"+e.Key()), e.Content}
}

func (r *recent) has(s seen) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.have[s]
	return ok
}

func (r *recent) add(s seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ring) == 0 {
		return
	}
	if _, ok := r.have[s]; ok {
		return
	}
	delete(r.have, r.ring[r.next])
	r.ring[r.next] = s
	r.have[s] = struct{}{}
	r.next = (r.next + 1) % len(r.ring)
}
