package identity

// Dirty is what Commit would make final.
func (m *Machine[P]) Dirty() Dirty { return m.dirty }

// Commit makes all changes since the last one final: the store has them now.
func (m *Machine[P]) Commit() {
	for _, n := range m.touched {
		n.touched = false
		former := n.size
		n.measure()
		if !n.away {
			n.size += m.fx.Size(n.person)
		}
		m.resized(n, former)
	}
	m.forget()
}

// Rollback forgets all since the last Commit: what was touched is read from the store again.
func (m *Machine[P]) Rollback() {
	for _, n := range m.touched {
		m.drop(n)
	}
	for id := range m.touchedNumbers {
		delete(m.numbers, id)
	}
	m.forget()
}

func (m *Machine[P]) forget() {
	clear(m.touched)
	m.touched = m.touched[:0]
	clear(m.touchedNumbers)
	m.dirty.clear()
}

// setEntry puts an entry into n's journey, in the place of the one with its key.
func (m *Machine[P]) setEntry(n *Node[P], e *Entry) {
	if old := n.journey.get(e.Key); old != nil && old.Home != e.Home {
		m.dirty.Entries[EntryRef{old.Home, old.Key}] = nil
	}
	n.journey.set(e)
	m.dirty.Entries[EntryRef{e.Home, e.Key}] = e
}

// come makes nodes members of n's person.
func (m *Machine[P]) come(n *Node[P], members []ID) {
	for _, x := range members {
		if n.owns(x) {
			continue
		}
		if n.others == nil {
			n.others = make(map[ID]ID, len(members))
		}
		n.others[x] = ID{}
		m.dirty.Members[Pair{n.id, x}] = Membership{Here: true}
	}
}

// leave takes members and their entries out of n's person.
func (m *Machine[P]) leave(n *Node[P], members []ID, entries []*Entry) {
	for _, x := range members {
		if x != n.id {
			delete(n.others, x)
			m.dirty.Members[Pair{n.id, x}] = Membership{}
		}
	}
	for _, e := range entries {
		m.dirty.Entries[EntryRef{e.Home, e.Key}] = nil
	}
	if n.away {
		n.journey = journey{}
		var none P
		n.person = none
		return
	}
	for _, e := range entries {
		n.journey.remove(e.Key)
	}
}

// moveAway writes down where members went. Where one had gone before that, if it came back since, is written over: nothing asks
// a node for the way to what it owns.
func (m *Machine[P]) moveAway(n *Node[P], members []ID, to ID) {
	if n.moved == nil {
		n.moved = make(map[ID]ID, len(members))
	}
	for _, x := range members {
		n.moved[x] = to
		m.dirty.Moved[Pair{n.id, x}] = to
		if x == n.id {
			n.away = true
		}
	}
}

// back makes n an owner again.
func (m *Machine[P]) back(n *Node[P]) {
	if !n.away {
		return
	}
	n.away = false
	n.moved[n.id] = ID{}
	m.dirty.Moved[Pair{n.id, n.id}] = ID{}
}

// movedTo is the next node on the path to x.
func (m *Machine[P]) movedTo(n *Node[P], x ID) (ID, bool, error) {
	next, known := n.moved[x]
	if !known {
		var err error
		if next, _, err = m.store.Moved(n.id, x); err != nil {
			return ID{}, false, err
		}
		if n.moved == nil {
			n.moved = map[ID]ID{}
		}
		n.moved[x] = next
	}
	return next, next != ID{}, nil
}
