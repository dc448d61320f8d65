package identity

// Effects is what a machine needs of the world around it. P is a person: what an owner's journey is kept as, beside its entries.
type Effects[P any] interface {
	// NewPerson makes a person that has no entries yet.
	NewPerson(owner ID) P
	// Load adds an entry whose facts are posted already.
	Load(p P, e *Entry)
	// Put puts an entry into a person, in the place of old if there was one, and posts what that changes.
	Put(kind Change, cause string, p P, old, e *Entry)
	// Merge moves all entries of one person to another and posts what that changes. What stands in both stands as it was in p.
	Merge(cause string, p, from P)
	// Post posts the difference between two sets of persons.
	Post(kind Change, cause string, before, after []P)
	// MergeInSteps and PostInSteps do the same for persons that are too large to be posted at once.
	MergeInSteps(cause string, p, from P) Posting
	PostInSteps(kind Change, cause string, before, after []P) Posting
	// Size is about how many bytes a person takes beside its entries.
	Size(p P) int
	// Bytes is at least how many bytes an entry takes in a message.
	Bytes(e *Entry) int
	// Here reports that a node is of this partition.
	Here(ID) bool
	// Send passes a message on to a node, maybe of another partition, in order.
	Send(Message)
	// Stored tells of an entry that is new in its journey, once.
	Stored(*Entry)
	// Grew tells how many nodes a person has whose nodes have become more.
	Grew(owner ID, nodes int)
	// Pool says whether a number's node is of a pool, so that its leases explain calls.
	Pool(number ID) bool
	// Conflict tells of an entry that was dropped because another with its key and other content stays.
	Conflict(dropped *Entry)
}

// Change is what happened to persons.
type Change uint8

// Kinds of change.
const (
	Changed Change = iota // an entry was put
	Merged                // two persons became one
	Parted                // one became several
)

// Posting is what is posted in steps. The same persons are posted in the same order, so that it can be made anew in the middle.
type Posting interface {
	// Post posts until it has cost about that much. It returns how far it has come, and whether that was all.
	Post(cost int) (done int, all bool)
	// Skip passes over what was posted already.
	Skip(done int)
}

// Machine holds the nodes of one workspace on one partition. It is not safe for concurrent use.
type Machine[P any] struct {
	fx     Effects[P]
	store  Store
	limits Limits
	cache[P]
	dirty Dirty
}

// New makes a machine over what a store holds.
func New[P any](fx Effects[P], store Store, limits Limits) *Machine[P] {
	return &Machine[P]{fx: fx, store: store, limits: limits, cache: newCache[P](), dirty: newDirty()}
}

// Handle takes one message that is addressed to a node of this machine. An error is the store's; all since the last Commit
// must then be rolled back.
func (m *Machine[P]) Handle(msg Message) error {
	switch msg.Kind {
	case Leased:
		return m.leased(msg)
	case Called:
		return m.called(msg)
	case Put, Link, Join, Absorb, Give, Own, Piece, Step:
	}
	n, err := m.node(msg.To)
	switch {
	case err != nil:
		return err
	case msg.Kind == Step:
		return m.step(n)
	case n.busy():
		m.wait(n, msg)
		return nil
	}
	return m.handle(n, msg)
}

// handle takes a message to a node that has time for it.
func (m *Machine[P]) handle(n *Node[P], msg Message) error {
	switch msg.Kind {
	case Give:
		m.take(n, msg)
		return nil
	case Own:
		m.own(n, msg)
		return nil
	case Piece:
		m.stage(n, msg)
		return nil
	case Put, Link, Join, Absorb, Leased, Called, Step: // about a node: passed on to its owner first
	}
	if !n.owns(msg.Via) {
		return m.passOn(n, msg)
	}
	switch msg.Kind {
	case Put:
		m.put(n, msg)
	case Link:
		m.link(n, msg)
	case Join:
		m.join(n, msg)
	case Absorb:
		m.absorb(n, msg)
	case Give, Own, Leased, Called, Piece, Step: // handled above
	}
	return nil
}

// passOn: a node that gave Via away knows where to; one that never had it asks Via itself.
func (m *Machine[P]) passOn(n *Node[P], msg Message) error {
	next, ok, err := m.movedTo(n, msg.Via)
	if err != nil {
		return err
	}
	msg.To = msg.Via
	if ok {
		msg.To = next
	}
	m.fx.Send(msg)
	return nil
}

// put stores an entry and asks for the nodes that it joins.
func (m *Machine[P]) put(n *Node[P], msg Message) {
	e := msg.Entry
	old := n.journey.get(e.Key)
	if old != nil && old.Version >= e.Version {
		if old.Version == e.Version && !old.sameContent(e) {
			m.fx.Conflict(e)
		}
		return
	}
	m.touch(n)
	m.setEntry(n, e)
	if old == nil {
		m.fx.Stored(e)
	}
	put := func() { m.fx.Put(Changed, msg.Cause, n.person, old, e) }
	if old != nil && len(old.Joins) > 0 {
		m.settle(n, []P{n.person}, Parted, msg.Cause, put)
	} else {
		put()
	}
	for _, j := range e.Joins {
		if !n.owns(j) {
			m.fx.Send(Message{Kind: Link, To: j, Cause: msg.Cause, Via: j, Other: e.Home, Key: e.Key, Version: e.Version})
		}
	}
}

// link, at the owner of Via: asks the owner of the entry's home to join.
func (m *Machine[P]) link(n *Node[P], msg Message) {
	if n.owns(msg.Other) {
		return
	}
	m.fx.Send(msg.turn(Join, n.id))
}

// turn is the message that answers msg: from root's side, about the other node.
func (msg Message) turn(k Kind, root ID) Message {
	return Message{Kind: k, To: msg.Other, Cause: msg.Cause, Via: msg.Other, Other: msg.Via, Root: root, Key: msg.Key, Version: msg.Version}
}

// join, at the owner of the entry's home: the smaller of the two owners takes all. A link that was taken back
// meanwhile joins nothing.
func (m *Machine[P]) join(n *Node[P], msg Message) {
	e := n.journey.get(msg.Key)
	if n.owns(msg.Other) || e == nil || e.Version != msg.Version {
		return
	}
	again := msg.turn(Link, ID{})
	switch compare(n.id, msg.Root) {
	case -1:
		m.fx.Send(msg.turn(Absorb, n.id))
	case 1:
		m.give(n, msg.Root, msg.Other, again)
	default:
		m.fx.Send(again) // Other has left this owner meanwhile: ask again
	}
}

// absorb, at the owner of the joined node: goes to the smaller owner, or asks again.
func (m *Machine[P]) absorb(n *Node[P], msg Message) {
	if n.owns(msg.Other) {
		return
	}
	again := msg.turn(Join, n.id)
	if compare(msg.Root, n.id) < 0 {
		m.give(n, msg.Root, msg.Other, again)
	} else {
		m.fx.Send(again)
	}
}

// give sends the whole person to a smaller owner.
func (m *Machine[P]) give(n *Node[P], to, needs ID, again Message) {
	m.touch(n)
	msg := Message{Kind: Give, To: to, Cause: again.Cause, Needs: needs, Back: n.id, Again: &again}
	if m.large(1+len(n.others), &n.journey) {
		m.begin(n, &Task{Op: Giving, Phase: PhaseSend, Header: msg})
		return
	}
	msg.Members, msg.Journey = n.members(), n.journey.list()
	m.moveAway(n, msg.Members, to)
	m.leave(n, msg.Members, msg.Journey)
	m.fx.Send(msg)
}

// take accepts a given person, if what it came for is still here, or sends it back.
func (m *Machine[P]) take(n *Node[P], msg Message) {
	m.touch(n)
	if msg.Staged {
		m.takeStaged(n, msg)
		return
	}
	if !n.owns(msg.Needs) {
		m.moveAway(n, msg.Members, msg.Back)
		m.fx.Send(Message{Kind: Own, To: msg.Back, Cause: msg.Cause, Members: msg.Members, Journey: msg.Journey, Again: msg.Again})
		return
	}
	given := m.person(msg.Back, msg.Journey)
	newer, whole := m.comeTogether(n, msg.Journey, func(e *Entry) { m.setEntry(n, e) }, func(*Entry) {})
	m.come(n, msg.Members)
	m.fx.Grew(n.id, 1+len(n.others))
	merge := func() {
		m.fx.Merge(msg.Cause, n.person, given)
		for _, r := range newer {
			m.fx.Put(Merged, msg.Cause, n.person, r.old, r.by)
		}
	}
	// Additions never split: only where something was taken back are the components to be looked at.
	if whole && n.joined(msg.Again) {
		merge()
		return
	}
	m.settle(n, []P{n.person, given}, Merged, msg.Cause, merge)
}

// replaced is an entry that another of its key stands in the place of.
type replaced struct{ old, by *Entry }

// comeTogether adds the entries of a given person to n's journey: come those that are to stand there, drop the others. Whole reports
// that both persons hold together as they did: no entry of either was dropped for another.
func (m *Machine[P]) comeTogether(n *Node[P], entries []*Entry, come, drop func(*Entry)) (newer []replaced, whole bool) {
	whole = true
	for _, e := range entries {
		old := n.journey.get(e.Key)
		switch {
		case old == nil:
			come(e)
			continue
		case old.Version < e.Version:
			come(e)
			newer, whole = append(newer, replaced{old, e}), false
			continue
		case !old.sameContent(e):
			m.fx.Conflict(e)
			whole = false
		case old.Version != e.Version:
			whole = false
		}
		drop(e)
	}
	return newer, whole
}

// joined reports that the link which a person was given for stands and joins two nodes that are here.
func (n *Node[P]) joined(link *Message) bool {
	if link == nil {
		return false
	}
	e := n.journey.get(link.Key)
	if e == nil || !n.owns(link.Via) || !n.owns(link.Other) {
		return false
	}
	for _, j := range e.Joins {
		if e.Home == link.Via && j == link.Other || e.Home == link.Other && j == link.Via {
			return true
		}
	}
	return false
}

// settle splits n's person into the components of its entries, keeps the one of n, which is its smallest node, and
// hands each other to its smallest node. Where it holds together, whole posts what has changed.
func (m *Machine[P]) settle(n *Node[P], before []P, kind Change, cause string, whole func()) {
	parts := components(n.members(), n.journey.list())
	if len(parts) == 1 {
		whole()
		return
	}
	if m.large(1+len(n.others), &n.journey) {
		whole()
		m.begin(n, &Task{Op: Parting, Header: Message{Cause: cause}})
		return
	}
	after := make([]P, 0, len(parts))
	for _, p := range parts {
		after = append(after, m.person(p.members[0], p.entries))
	}
	m.fx.Post(kind, cause, before, after)
	for i, p := range parts {
		root := p.members[0]
		if root == n.id {
			n.person = after[i]
			continue
		}
		m.moveAway(n, p.members, root)
		m.leave(n, p.members, p.entries)
		m.fx.Send(Message{Kind: Own, To: root, Cause: cause, Members: p.members, Journey: p.entries})
	}
}

// own makes n the owner of a person of which it is the smallest node.
func (m *Machine[P]) own(n *Node[P], msg Message) {
	m.touch(n)
	m.back(n)
	if msg.Staged {
		m.ownStaged(n, msg)
		return
	}
	for _, e := range msg.Journey {
		m.setEntry(n, e)
	}
	m.come(n, msg.Members)
	n.person = m.person(n.id, msg.Journey)
	if msg.Again != nil {
		again := *msg.Again
		again.To = again.Via
		m.fx.Send(again)
	}
}

func (m *Machine[P]) person(owner ID, entries []*Entry) P {
	p := m.fx.NewPerson(owner)
	for _, e := range entries {
		m.fx.Load(p, e)
	}
	return p
}
