package identity

// Dirty is what changed since the last Commit, for the changelog: nodes whose record changed and entries that came to or left
// the partition.
type Dirty struct {
	Nodes   map[ID]struct{}
	Entries map[EntryRef]*Entry // nil: it left
	Leases  map[EntryRef]*Lease // Home is the number's node
	Calls   map[EntryRef]*Call
}

// EntryRef names an entry on a partition. Entries stand by their home and not by their owner, so that a person that moves
// within a partition rewrites nothing.
type EntryRef struct {
	Home ID
	Key  string
}

// journal makes every change of a machine's state, so that it can be undone and written down.
type journal[F any] struct {
	undo    []func()
	dirty   Dirty
	touched map[*Node[F]]struct{}
}

func newJournal[F any]() journal[F] {
	return journal[F]{dirty: newDirty(), touched: map[*Node[F]]struct{}{}}
}

func newDirty() Dirty {
	return Dirty{map[ID]struct{}{}, map[EntryRef]*Entry{}, map[EntryRef]*Lease{}, map[EntryRef]*Call{}}
}

// Dirty is what Commit would make final.
func (j *journal[F]) Dirty() Dirty { return j.dirty }

// Commit makes all changes since the last one final.
func (j *journal[F]) Commit() {
	j.forget()
}

// Rollback undoes all changes since the last Commit.
func (j *journal[F]) Rollback() {
	for i := len(j.undo) - 1; i >= 0; i-- {
		j.undo[i]()
	}
	j.forget()
}

// forget drops cached facts too: they cost memory, and after a rollback they would be wrong.
func (j *journal[F]) forget() {
	for n := range j.touched {
		n.facts = nil
	}
	clear(j.touched)
	clear(j.undo)
	j.undo, j.dirty = j.undo[:0], newDirty()
}

func (j *journal[F]) change(n *Node[F], undo func()) {
	j.undo = append(j.undo, undo)
	j.touched[n] = struct{}{}
}

func (j *journal[F]) created(m *Machine[F], n *Node[F]) {
	m.nodes[n.id] = n // a person of one node without entries is what an absent record means: nothing to write down
	j.change(n, func() { delete(m.nodes, n.id) })
}

func (j *journal[F]) setEntry(n *Node[F], e *Entry) {
	old := n.journey[e.Key]
	journey := n.journey
	j.change(n, func() {
		if old == nil {
			delete(journey, e.Key)
		} else {
			journey[e.Key] = old
		}
	})
	if old != nil && old.Home != e.Home {
		j.dirty.Entries[EntryRef{old.Home, old.Key}] = nil
	}
	n.journey[e.Key] = e
	n.facts = nil
	j.dirty.Entries[EntryRef{e.Home, e.Key}] = e
}

// replace puts another person, or none, in the node's place; the journey's entries are marked as gone or come.
func (j *journal[F]) replace(n *Node[F], owner bool, members []ID, journey Journey) {
	for key, e := range n.journey {
		if kept := journey[key]; kept == nil || kept.Home != e.Home {
			j.dirty.Entries[EntryRef{e.Home, key}] = nil
		}
	}
	for key, e := range journey {
		if n.journey[key] != e {
			j.dirty.Entries[EntryRef{e.Home, key}] = e
		}
	}
	oldOwner, oldMembers, oldJourney := n.owner, n.members, n.journey
	j.change(n, func() { n.owner, n.members, n.journey = oldOwner, oldMembers, oldJourney })
	n.owner, n.members, n.journey, n.facts = owner, members, journey, nil
	j.dirty.Nodes[n.id] = struct{}{}
}

func (j *journal[F]) replaceMembers(n *Node[F], members []ID) {
	old := n.members
	j.change(n, func() { n.members = old })
	n.members, n.facts = members, nil
	j.dirty.Nodes[n.id] = struct{}{}
}

// moveAway writes down where members went.
func (j *journal[F]) moveAway(n *Node[F], members []ID, to ID) {
	for _, x := range members {
		j.setMoved(n, x, to, true)
	}
}

// moveHere forgets where members had gone: they are back.
func (j *journal[F]) moveHere(n *Node[F], members []ID) {
	for _, x := range members {
		if _, ok := n.moved[x]; ok {
			j.setMoved(n, x, ID{}, false)
		}
	}
}

func (j *journal[F]) setMoved(n *Node[F], x, to ID, set bool) {
	old, had := n.moved[x]
	j.change(n, func() {
		if had {
			n.moved[x] = old
		} else {
			delete(n.moved, x)
		}
	})
	if set {
		if n.moved == nil {
			n.moved = map[ID]ID{}
		}
		n.moved[x] = to
	} else {
		delete(n.moved, x)
	}
	j.dirty.Nodes[n.id] = struct{}{}
}
