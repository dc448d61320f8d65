package identity

// cache is the nodes at hand: those used of late, in two generations, so that what is not used leaves without a list of all.
type cache[P any] struct {
	young, old     map[ID]*Node[P]
	bytes          int // of both
	oldBytes       int
	touched        []*Node[P] // changed, or made, since the last Commit
	numbers        map[ID]*number
	touchedNumbers map[ID]struct{}
}

func newCache[P any]() cache[P] {
	return cache[P]{young: map[ID]*Node[P]{}, numbers: map[ID]*number{}, touchedNumbers: map[ID]struct{}{}}
}

// node finds a node; one never seen is a person of its own, without entries.
func (m *Machine[P]) node(id ID) (*Node[P], error) {
	if n := m.young[id]; n != nil {
		return n, nil
	}
	if n := m.old[id]; n != nil {
		delete(m.old, id)
		m.oldBytes -= n.size
		m.young[id] = n
		return n, nil
	}
	n, err := m.load(id)
	if err != nil {
		return nil, err
	}
	m.young[id] = n
	m.bytes += n.size
	return n, nil
}

// load reads a node from the store.
func (m *Machine[P]) load(id ID) (*Node[P], error) {
	r, err := m.store.Node(id)
	if err != nil {
		return nil, err
	}
	n := &Node[P]{id: id, task: r.Task, waiting: r.Waiting}
	if len(n.waiting) > 0 {
		n.nextSeq = n.waiting[len(n.waiting)-1].Seq + 1
	}
	if err := m.loadStaged(n, r.Staged); err != nil {
		return nil, err
	}
	if r.Away {
		n.away, n.moved = true, map[ID]ID{id: r.Next}
		n.measure()
		return n, nil
	}
	entries := r.Entries
	if len(r.Others) > 0 {
		n.others = make(map[ID]ID, len(r.Others))
		for _, x := range r.Others {
			n.others[x.ID] = x.Leaves
			more, err := m.store.Entries(x.ID)
			if err != nil {
				return nil, err
			}
			entries = append(entries, more...)
		}
	}
	n.journey = journeyOf(entries)
	m.resume(n)
	n.person = m.person(id, n.own())
	n.measure()
	n.size += m.fx.Size(n.person)
	return n, nil
}

// touch says that n is about to change.
func (m *Machine[P]) touch(n *Node[P]) {
	if !n.touched {
		n.touched = true
		m.touched = append(m.touched, n)
	}
}

func (m *Machine[P]) drop(n *Node[P]) {
	delete(m.young, n.id)
	m.bytes -= n.size
}

// Bytes is about how much memory the nodes at hand take.
func (m *Machine[P]) Bytes() int { return m.bytes }

// Shrink lets go of what was not used since the last time, where the nodes at hand take more than limit. It is called between
// transactions.
func (m *Machine[P]) Shrink(limit int) {
	if m.bytes <= limit/2 && m.old == nil || m.bytes-m.oldBytes <= limit/2 {
		return
	}
	m.bytes -= m.oldBytes
	m.old, m.oldBytes = m.young, m.bytes
	m.young = map[ID]*Node[P]{}
}

// Person calls do for the person of an owner, without keeping it at hand; nothing is done for a node that is away.
func (m *Machine[P]) Person(owner ID, do func(p P, entries []*Entry)) error {
	n := m.young[owner]
	if n == nil {
		var err error
		if n, err = m.load(owner); err != nil {
			return err
		}
	}
	if !n.away {
		do(n.person, n.journey.list())
	}
	return nil
}
