package identity

import (
	"slices"
)

// Effects is what a machine needs of the world around it.
type Effects[F any] interface {
	// Facts computes what a person implies.
	Facts(person ID, members []ID, journey Journey) F
	// Post posts the difference between two sets of persons.
	Post(kind Change, cause string, before, after []*F)
	// Send passes a message on to a node, maybe of another partition, in order.
	Send(Message)
	// Stored tells of an entry that is new in its journey, once.
	Stored(*Entry)
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

// Machine holds the nodes of one workspace on one partition. It is not safe for concurrent use.
type Machine[F any] struct {
	fx      Effects[F]
	nodes   map[ID]*Node[F]
	numbers map[ID]*number
	journal[F]
}

// New makes an empty machine.
func New[F any](fx Effects[F]) *Machine[F] {
	return &Machine[F]{fx: fx, nodes: map[ID]*Node[F]{}, numbers: map[ID]*number{}, journal: newJournal[F]()}
}

// node finds a node; one never seen is a person of its own, without entries.
func (m *Machine[F]) node(id ID) *Node[F] {
	n := m.nodes[id]
	if n == nil {
		n = &Node[F]{id: id, owner: true, members: []ID{id}, journey: Journey{}}
		m.created(m, n)
	}
	return n
}

// Handle takes one message that is addressed to a node of this machine.
func (m *Machine[F]) Handle(msg Message) {
	switch msg.Kind {
	case Leased:
		m.leased(msg)
		return
	case Called:
		m.called(msg)
		return
	case Give:
		m.take(m.node(msg.To), msg)
		return
	case Own:
		m.own(m.node(msg.To), msg)
		return
	case Put, Link, Join, Absorb: // about a node: passed on to its owner first
	}
	n := m.node(msg.To)
	if !n.owns(msg.Via) {
		// A node that gave Via away knows where to; one that never had it asks Via itself.
		msg.To = msg.Via
		if next, ok := n.moved[msg.Via]; ok {
			msg.To = next
		}
		m.fx.Send(msg)
		return
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
	case Give, Own, Leased, Called: // handled above
	}
}

func (n *Node[F]) owns(id ID) bool {
	if !n.owner {
		return false
	}
	_, ok := slices.BinarySearchFunc(n.members, id, compare)
	return ok
}

// put stores an entry and asks for the nodes that it joins.
func (m *Machine[F]) put(n *Node[F], msg Message) {
	e := msg.Entry
	old := n.journey[e.Key]
	if old != nil && old.Version >= e.Version {
		if old.Version == e.Version && !old.sameContent(e) {
			m.fx.Conflict(e)
		}
		return
	}
	before := []*F{m.facts(n)}
	m.setEntry(n, e)
	if old == nil {
		m.fx.Stored(e)
	}
	if old != nil && len(old.Joins) > 0 {
		m.settle(n, before, Changed, msg.Cause)
	} else {
		m.fx.Post(Changed, msg.Cause, before, []*F{m.facts(n)})
	}
	for _, j := range e.Joins {
		if !n.owns(j) {
			m.fx.Send(Message{Kind: Link, To: j, Cause: msg.Cause, Via: j, Other: e.Home, Key: e.Key, Version: e.Version})
		}
	}
}

// link, at the owner of Via: asks the owner of the entry's home to join.
func (m *Machine[F]) link(n *Node[F], msg Message) {
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
func (m *Machine[F]) join(n *Node[F], msg Message) {
	e := n.journey[msg.Key]
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
func (m *Machine[F]) absorb(n *Node[F], msg Message) {
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
func (m *Machine[F]) give(n *Node[F], to, needs ID, again Message) {
	msg := Message{Kind: Give, To: to, Cause: again.Cause, Needs: needs, Back: n.id, Again: &again, Members: n.members, Journey: n.journey}
	m.moveAway(n, n.members, to)
	m.replace(n, false, nil, Journey{})
	m.fx.Send(msg)
}

// take accepts a given person, if what it came for is still here, or sends it back.
func (m *Machine[F]) take(n *Node[F], msg Message) {
	if !n.owns(msg.Needs) {
		m.moveAway(n, msg.Members, msg.Back)
		m.fx.Send(Message{Kind: Own, To: msg.Back, Cause: msg.Cause, Members: msg.Members, Journey: msg.Journey, Again: msg.Again})
		return
	}
	before := []*F{m.facts(n), m.compute(msg.Back, msg.Members, msg.Journey)}
	m.moveHere(n, msg.Members)
	m.replaceMembers(n, union(n.members, msg.Members))
	for _, key := range sortedKeys(msg.Journey) {
		e := msg.Journey[key]
		switch old := n.journey[key]; {
		case old == nil || old.Version < e.Version:
			m.setEntry(n, e)
		case !old.sameContent(e):
			m.fx.Conflict(e)
		}
	}
	m.settle(n, before, Merged, msg.Cause)
}

// settle splits n's person into the components of its entries, keeps the one that contains n if n is its smallest
// and hands each other to its smallest node.
func (m *Machine[F]) settle(n *Node[F], before []*F, kind Change, cause string) {
	parts := components(n.members, n.journey)
	if len(parts) == 1 && parts[0].members[0] == n.id {
		m.fx.Post(kind, cause, before, []*F{m.facts(n)})
		return
	}
	if kind == Changed {
		kind = Parted
	}
	own := part{journey: Journey{}}
	var after []*F
	var sent []Message
	for _, p := range parts {
		root := p.members[0]
		after = append(after, m.compute(root, p.members, p.journey))
		if root == n.id {
			own = p
			continue
		}
		sent = append(sent, Message{Kind: Own, To: root, Cause: cause, Members: p.members, Journey: p.journey})
	}
	m.fx.Post(kind, cause, before, after)
	for _, msg := range sent {
		m.moveAway(n, msg.Members, msg.To)
	}
	m.replace(n, own.members != nil, own.members, own.journey)
	for _, msg := range sent {
		m.fx.Send(msg)
	}
}

// own makes n the owner of a person of which it is the smallest node.
func (m *Machine[F]) own(n *Node[F], msg Message) {
	m.moveHere(n, msg.Members)
	m.replace(n, true, msg.Members, msg.Journey)
	if msg.Again != nil {
		again := *msg.Again
		again.To = again.Via
		m.fx.Send(again)
	}
}

func (m *Machine[F]) facts(n *Node[F]) *F {
	if n.facts == nil {
		n.facts = m.compute(n.id, n.members, n.journey)
	}
	return n.facts
}

func (m *Machine[F]) compute(person ID, members []ID, j Journey) *F {
	f := m.fx.Facts(person, members, j)
	return &f
}
