package identity

import (
	"cmp"
	"slices"
)

// stage keeps a piece of a person until all of it has come.
func (m *Machine[P]) stage(n *Node[P], msg Message) {
	m.touch(n)
	s := n.staged[msg.Back]
	if s == nil {
		if n.staged == nil {
			n.staged = map[ID]*staged{}
		}
		s = &staged{members: make(map[ID]struct{}, len(msg.Members))}
		n.staged[msg.Back] = s
	}
	for _, x := range msg.Members {
		if _, known := s.members[x]; !known {
			s.members[x] = struct{}{}
			m.dirty.Staged[Stage{n.id, msg.Back, x}] = true
		}
	}
	s.entries = append(s.entries, msg.Journey...)
	if m.fx.Here(msg.Back) {
		return // an entry stands at its home, whoever has it
	}
	for _, e := range msg.Journey {
		m.dirty.Entries[EntryRef{e.Home, e.Key}] = e
	}
}

// loadStaged reads what was sent to a node in pieces.
func (m *Machine[P]) loadStaged(n *Node[P], members []Pair) error {
	for _, p := range members {
		entries, err := m.store.Entries(p.B)
		if err != nil {
			return err
		}
		s := n.staged[p.A]
		if s == nil {
			if n.staged == nil {
				n.staged = map[ID]*staged{}
			}
			s = &staged{members: map[ID]struct{}{}}
			n.staged[p.A] = s
		}
		s.members[p.B] = struct{}{}
		s.entries = append(s.entries, entries...)
	}
	return nil
}

// sendPieces sends the next pieces of what leaves.
func (m *Machine[P]) sendPieces(n *Node[P]) {
	if n.work.leave == nil {
		n.work.leave = m.leavers(n)
	}
	bytes, nodes := m.limits.PieceBytes, m.limits.PieceNodes
	for len(n.work.leave) > 0 && bytes > 0 && nodes > 0 {
		to := n.work.leave[0].to
		piece := Message{Kind: Piece, To: to, Back: n.id, Cause: n.task.Header.Cause}
		for len(n.work.leave) > 0 && n.work.leave[0].to == to && bytes > 0 && nodes > 0 {
			l := &n.work.leave[0]
			piece.Members = append(piece.Members, l.id)
			count := m.fits(l, &piece, &bytes)
			piece.Journey = append(piece.Journey, l.entries[:count]...)
			m.sent(n, to, l.entries[:count])
			if l.entries = l.entries[count:]; len(l.entries) > 0 {
				break
			}
			m.left(n, l)
			n.work.leave = n.work.leave[1:]
			nodes--
		}
		m.fx.Send(piece)
		if len(n.work.leave) == 0 || n.work.leave[0].to != to {
			m.sendLast(n, to)
		}
	}
	if len(n.work.leave) == 0 {
		m.finish(n)
	}
}

// fits is how many entries of a member go into a piece. On this partition they stand where they are, and the home goes whole.
func (m *Machine[P]) fits(l *leaver, piece *Message, bytes *int) int {
	if m.fx.Here(piece.To) {
		return len(l.entries)
	}
	for i, e := range l.entries {
		size := m.fx.Bytes(e)
		if size > *bytes && i+len(piece.Journey) > 0 {
			*bytes = 0
			return i
		}
		if *bytes -= size; *bytes <= 0 {
			return i + 1
		}
	}
	return len(l.entries)
}

// sent takes entries out that are on their way.
func (m *Machine[P]) sent(n *Node[P], to ID, entries []*Entry) {
	here := m.fx.Here(to)
	for _, e := range entries {
		if !here {
			m.dirty.Entries[EntryRef{e.Home, e.Key}] = nil
		}
		if n.task.Op != Returning {
			n.journey.remove(e.Key)
		}
	}
}

// left writes down that a member has left with all that is at home there.
func (m *Machine[P]) left(n *Node[P], l *leaver) {
	switch {
	case n.task.Op == Returning:
		delete(n.staged[l.to].members, l.id)
		m.dirty.Staged[Stage{n.id, l.to, l.id}] = false
	case l.id != n.id:
		delete(n.others, l.id)
		m.dirty.Members[Pair{n.id, l.id}] = Membership{}
	}
	m.moveAway(n, []ID{l.id}, l.to)
}

// sendLast says that all that goes to an owner is sent.
func (m *Machine[P]) sendLast(n *Node[P], to ID) {
	msg := n.task.Header
	msg.To, msg.Back, msg.Staged = to, n.id, true
	switch n.task.Op {
	case Giving:
		n.journey = journey{}
		var none P
		n.person = none
	case Returning:
		msg.Kind, msg.Needs = Own, ID{}
		delete(n.staged, to)
	case Parting:
		msg.Kind, msg.Again = Own, nil
	case Taking, Owning: // nothing leaves
	}
	m.fx.Send(msg)
}

// leavers are the members that leave, by whom they are sent to; the node itself is the last, since it is away only then.
func (m *Machine[P]) leavers(n *Node[P]) []leaver {
	var out []leaver
	entries := n.journey.list()
	to := n.task.Header.To
	switch n.task.Op {
	case Giving:
		for x := range n.others {
			out = append(out, leaver{id: x, to: to})
		}
	case Returning:
		to = n.task.Header.Back
		s := n.staged[to]
		for x := range s.members {
			out = append(out, leaver{id: x, to: to})
		}
		entries = s.entries
	case Parting:
		for x, root := range n.others {
			if root != (ID{}) {
				out = append(out, leaver{id: x, to: root})
			}
		}
	case Taking, Owning: // nobody leaves
	}
	slices.SortFunc(out, func(a, b leaver) int { return cmp.Or(compare(a.to, b.to), compare(a.id, b.id)) })
	if n.task.Op == Giving {
		out = append(out, leaver{id: n.id, to: to})
	}
	at := make(map[ID]int, len(out))
	for i := range out {
		at[out[i].id] = i
	}
	for _, e := range entries {
		if i, leaves := at[e.Home]; leaves {
			out[i].entries = append(out[i].entries, e)
		}
	}
	return out
}
