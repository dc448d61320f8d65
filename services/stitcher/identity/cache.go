package identity

// cache is the nodes at hand: those used of late, in two generations, so that what is not used leaves without a list of all. The heavy
// ones, which are slow to read, stand beside them until Lighten lets go of them.
type cache[P any] struct {
	young, old     map[ID]*Node[P]
	bytes          int // of both
	oldBytes       int
	heavy          map[ID]*Node[P]
	heavyBytes     int
	touched        []*Node[P] // changed, or made, since the last Commit
	numbers        map[ID]*number
	touchedNumbers map[ID]struct{}
}

func newCache[P any]() cache[P] {
	return cache[P]{young: map[ID]*Node[P]{}, heavy: map[ID]*Node[P]{}, numbers: map[ID]*number{}, touchedNumbers: map[ID]struct{}{}}
}

// node finds a node; one never seen is a person of its own, without entries.
func (m *Machine[P]) node(id ID) (*Node[P], error) {
	if n := m.atHand(id); n != nil {
		return n, nil
	}
	n, err := m.load(id)
	if err != nil {
		return nil, err
	}
	m.keep(n)
	return n, nil
}

// atHand finds a node without the store.
func (m *Machine[P]) atHand(id ID) *Node[P] {
	if n := m.young[id]; n != nil {
		return n
	}
	if n := m.old[id]; n != nil {
		delete(m.old, id)
		m.oldBytes -= n.size
		m.young[id] = n
		return n
	}
	if len(m.heavy) == 0 {
		return nil
	}
	n := m.heavy[id]
	if n != nil {
		n.used = true
	}
	return n
}

// keep puts a node where it is found, by its size.
func (m *Machine[P]) keep(n *Node[P]) {
	if n.size > m.limits.HeavyBytes {
		m.heavy[n.id] = n
		m.heavyBytes += n.size
		n.used = true
		return
	}
	m.young[n.id] = n
	m.bytes += n.size
}

// resized puts a node where it is found, whose size was another.
func (m *Machine[P]) resized(n *Node[P], former int) {
	if max(former, n.size) <= m.limits.HeavyBytes { // it stays where it is, among the young
		m.bytes += n.size - former
		return
	}
	size := n.size
	n.size = former
	m.drop(n)
	n.size = size
	m.keep(n)
}

// drop forgets a node.
func (m *Machine[P]) drop(n *Node[P]) {
	if m.heavy[n.id] == n {
		delete(m.heavy, n.id)
		m.heavyBytes -= n.size
		return
	}
	delete(m.young, n.id)
	m.bytes -= n.size
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

// Bytes is about how much memory the nodes at hand take.
func (m *Machine[P]) Bytes() int { return m.bytes + m.heavyBytes }

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

// Heavy is how many bytes the heavy nodes take, about, and when the one was used that has not been for longest, by the ticks that
// Age was told.
func (m *Machine[P]) Heavy() (bytes int, oldest int64) {
	for _, n := range m.heavy {
		if oldest == 0 || n.last < oldest {
			oldest = n.last
		}
	}
	return m.heavyBytes, oldest
}

// Age says what time it is to heavy nodes that were used.
func (m *Machine[P]) Age(tick int64) {
	for _, n := range m.heavy {
		if n.used {
			n.used, n.last = false, tick
		}
	}
}

// Lighten lets go of the heavy nodes that were not used after a tick. It is called between transactions.
func (m *Machine[P]) Lighten(tick int64) {
	for _, n := range m.heavy {
		if n.last <= tick {
			m.drop(n)
		}
	}
}

// Person calls do for the person of an owner, without keeping it at hand; nothing is done for a node that is away.
func (m *Machine[P]) Person(owner ID, do func(p P, entries []*Entry)) error {
	n := m.atHand(owner)
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
