package identity

// changelog is a store that keeps what was committed in maps.
type changelog struct {
	entries map[ID]map[string]*Entry
	others  map[ID]map[ID]bool
	moved   map[Pair]ID
	leases  map[ID]map[string]*Lease
	calls   map[ID]map[string]*Call
}

func newChangelog() *changelog {
	return &changelog{
		map[ID]map[string]*Entry{}, map[ID]map[ID]bool{}, map[Pair]ID{}, map[ID]map[string]*Lease{}, map[ID]map[string]*Call{},
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
		if here {
			put(c.others, p.A, p.B, true)
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
}

func (c *changelog) Node(id ID) (Record, error) {
	if next, ok := c.moved[Pair{id, id}]; ok {
		return Record{Away: true, Next: next}, nil
	}
	var r Record
	for x := range c.others[id] {
		r.Others = append(r.Others, x)
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
