package identity

import (
	"maps"
	"slices"
	"testing"
)

// changelog is a store that keeps what was committed in maps.
type changelog struct {
	entries map[ID]map[string]*Entry
	others  map[ID]map[ID]ID
	moved   map[Pair]ID
	leases  map[ID]map[string]*Lease
	calls   map[ID]map[string]*Call
	tasks   map[ID]*Task
	staged  map[ID]map[Pair]bool
	waiting map[ID]map[uint64]*Message
}

func newChangelog() *changelog {
	return &changelog{
		map[ID]map[string]*Entry{}, map[ID]map[ID]ID{}, map[Pair]ID{}, map[ID]map[string]*Lease{}, map[ID]map[string]*Call{},
		map[ID]*Task{}, map[ID]map[Pair]bool{}, map[ID]map[uint64]*Message{},
	}
}

func put[K, L comparable, V any](m map[K]map[L]V, k K, l L, v V) {
	if m[k] == nil {
		m[k] = map[L]V{}
	}
	m[k][l] = v
}

func (c *changelog) apply(d Dirty) {
	for ref, e := range d.Entries {
		if e == nil {
			delete(c.entries[ref.Home], ref.Key)
		} else {
			put(c.entries, ref.Home, ref.Key, e)
		}
	}
	for p, here := range d.Members {
		if here.Here {
			put(c.others, p.A, p.B, here.Leaves)
		} else {
			delete(c.others[p.A], p.B)
		}
	}
	for p, next := range d.Moved {
		if next == (ID{}) {
			delete(c.moved, p)
		} else {
			c.moved[p] = next
		}
	}
	for ref, l := range d.Leases {
		put(c.leases, ref.Home, ref.Key, l)
	}
	for ref, call := range d.Calls {
		put(c.calls, ref.Home, ref.Key, call)
	}
	for id, t := range d.Tasks {
		if t == nil {
			delete(c.tasks, id)
		} else {
			c.tasks[id] = t
		}
	}
	for s, here := range d.Staged {
		if here {
			put(c.staged, s.Node, Pair{s.From, s.Member}, true)
		} else {
			delete(c.staged[s.Node], Pair{s.From, s.Member})
		}
	}
	for w, msg := range d.Waiting {
		if msg == nil {
			delete(c.waiting[w.Node], w.Seq)
		} else {
			put(c.waiting, w.Node, w.Seq, msg)
		}
	}
}

func (c *changelog) Node(id ID) (Record, error) {
	r := Record{Task: c.tasks[id]}
	for p := range c.staged[id] {
		r.Staged = append(r.Staged, p)
	}
	for _, seq := range slices.Sorted(maps.Keys(c.waiting[id])) {
		r.Waiting = append(r.Waiting, Waiting{seq, c.waiting[id][seq]})
	}
	if next, ok := c.moved[Pair{id, id}]; ok {
		r.Away, r.Next = true, next
		return r, nil
	}
	for x, leaves := range c.others[id] {
		r.Others = append(r.Others, Other{x, leaves})
	}
	r.Entries, _ = c.Entries(id)
	return r, nil
}

func (c *changelog) Entries(home ID) (out []*Entry, _ error) {
	for _, e := range c.entries[home] {
		out = append(out, e)
	}
	return out, nil
}

func (c *changelog) Moved(node, x ID) (ID, bool, error) {
	next, ok := c.moved[Pair{node, x}]
	return next, ok, nil
}

func (c *changelog) Number(id ID) (leases []*Lease, calls []*Call, _ error) {
	for _, l := range c.leases[id] {
		leases = append(leases, l)
	}
	for _, call := range c.calls[id] {
		calls = append(calls, call)
	}
	return leases, calls, nil
}

// atRest fails where something is left of what was done in steps.
func (c *changelog) atRest(t *testing.T, seed uint64, partition int) {
	left := len(c.tasks)
	for _, s := range c.staged {
		left += len(s)
	}
	for _, w := range c.waiting {
		left += len(w)
	}
	if left > 0 {
		t.Fatalf("seed %d: partition %d: the changelog keeps %d tasks, %v, %v", seed, partition, len(c.tasks), c.staged, c.waiting)
	}
}
