package identity

import "slices"

// Record is a node's part of the changelog; a node without a record is a person of its own.
type Record struct {
	Owner   bool
	Members []ID
	Moved   map[ID]ID
}

// Record is a node's record as it stands; false where it says nothing more than its absence.
func (m *Machine[F]) Record(id ID) (Record, bool) {
	n := m.nodes[id]
	if n == nil || n.owner && len(n.members) == 1 && len(n.moved) == 0 {
		return Record{}, false
	}
	return Record{n.owner, n.members, n.moved}, true
}

// Snapshot is what a restore collects from the changelog before people can be put together.
type Snapshot struct {
	Nodes   map[ID]Record
	Entries map[EntryRef]*Entry
	Leases  map[EntryRef]*Lease
	Calls   map[EntryRef]*Call
}

// NewSnapshot makes an empty snapshot.
func NewSnapshot() *Snapshot {
	return &Snapshot{map[ID]Record{}, map[EntryRef]*Entry{}, map[EntryRef]*Lease{}, map[EntryRef]*Call{}}
}

// Restore fills an empty machine. Entries go to the owner of their home.
func (m *Machine[F]) Restore(s *Snapshot) {
	owner := make(map[ID]ID, len(s.Nodes))
	for id, r := range s.Nodes {
		n := m.node(id)
		n.owner, n.members, n.moved = r.Owner, slices.Clone(r.Members), r.Moved
		for _, x := range r.Members {
			owner[x] = id
		}
	}
	for ref, e := range s.Entries {
		id, ok := owner[ref.Home]
		if !ok {
			id = ref.Home
		}
		m.node(id).journey[e.Key] = e
	}
	for ref, l := range s.Leases {
		n := m.number(ref.Home)
		n.insertLease(l)
		n.known[l.Key] = struct{}{}
	}
	for ref, c := range s.Calls {
		n := m.number(ref.Home)
		n.addCall(c)
		n.known[c.Key] = struct{}{}
	}
	m.Commit()
}

// Persons calls do for every person that has entries, in no order.
func (m *Machine[F]) Persons(do func(person ID, members []ID, journey Journey)) {
	for id, n := range m.nodes {
		if n.owner && len(n.journey) > 0 {
			do(id, n.members, n.journey)
		}
	}
}
