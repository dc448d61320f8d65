package identity

// takeStaged decides of a person that has come in pieces: it becomes part of n's, or goes back.
func (m *Machine[P]) takeStaged(n *Node[P], msg Message) {
	if !n.owns(msg.Needs) {
		m.begin(n, &Task{Op: Returning, Phase: PhaseSend, Header: msg})
		return
	}
	m.begin(n, &Task{Op: Taking, Phase: PhasePost, Header: msg})
}

// ownStaged makes n the owner of a person that has come in pieces.
func (m *Machine[P]) ownStaged(n *Node[P], msg Message) {
	m.begin(n, &Task{Op: Owning, Phase: PhaseCome, Header: msg})
	n.adopt(n.staged[msg.Back])
	n.person = m.person(n.id, n.own())
}

// adopt makes what came in pieces n's own, at hand: the store learns of the members in steps, and has the entries already.
func (n *Node[P]) adopt(s *staged) {
	if n.others == nil {
		n.others = make(map[ID]ID, len(s.members))
	}
	for x := range s.members {
		if x != n.id {
			n.others[x] = ID{}
		}
	}
	for _, e := range s.entries {
		n.journey.set(e)
	}
	s.entries = nil
}

// resume brings a node that was read from the store to where its task stands.
func (m *Machine[P]) resume(n *Node[P]) {
	if n.task != nil && n.task.Phase == PhaseCome {
		n.adopt(n.staged[n.task.Header.Back])
	}
}

// own is the entries of n's person by what is posted: without those that are about to be sent to others.
func (n *Node[P]) own() []*Entry {
	entries := n.journey.list()
	if n.task == nil || n.task.Op != Parting || n.task.Phase == PhasePost {
		return entries
	}
	if n.task.Phase == PhaseMark {
		return components(n.members(), entries)[0].entries
	}
	stay := entries[:0]
	for _, e := range entries {
		if n.others[e.Home] == (ID{}) {
			stay = append(stay, e)
		}
	}
	return stay
}

// post posts the next of what a task changes.
func (m *Machine[P]) post(n *Node[P]) {
	w, t := n.work, *n.task
	if w.posting == nil {
		w.posting = m.posting(n)
		w.posting.Skip(t.Done)
	}
	done, all := w.posting.Post(m.limits.PostCost)
	t.Done = done
	if all && t.Op == Taking {
		m.taken(n, &t)
	} else if all {
		t.Phase, n.person = PhaseMark, w.after[0]
		w.posting, w.after = nil, nil
	}
	m.setTask(n, &t)
}

// posting is what a task changes, from its beginning.
func (m *Machine[P]) posting(n *Node[P]) Posting {
	t, w := n.task, n.work
	if t.Op == Taking {
		return m.fx.MergeInSteps(t.Header.Cause, n.person, m.person(t.Header.Back, n.staged[t.Header.Back].entries))
	}
	for _, p := range m.parts(n) {
		w.after = append(w.after, m.person(p.members[0], p.entries))
	}
	return m.fx.PostInSteps(Parted, t.Header.Cause, []P{n.person}, w.after)
}

// parts are the components of n's person: that of n, which is the smallest node of all, is the first.
func (m *Machine[P]) parts(n *Node[P]) []part {
	if n.work.parts == nil {
		n.work.parts = components(n.members(), n.journey.list())
	}
	return n.work.parts
}

// taken makes a person whose facts are posted as part of n's a part of it.
func (m *Machine[P]) taken(n *Node[P], t *Task) {
	s := n.staged[t.Header.Back]
	newer, whole := m.comeTogether(n, s.entries, func(e *Entry) {
		if old := n.journey.get(e.Key); old != nil && old.Home != e.Home {
			m.dirty.Entries[EntryRef{old.Home, old.Key}] = nil
		}
		n.journey.set(e)
	}, func(e *Entry) { m.dirty.Entries[EntryRef{e.Home, e.Key}] = nil })
	for _, r := range newer {
		m.fx.Put(Merged, t.Header.Cause, n.person, r.old, r.by)
	}
	s.entries = nil
	n.adopt(s)
	m.fx.Grew(n.id, 1+len(n.others))
	t.Phase, t.Settle = PhaseCome, !whole || !n.joined(t.Header.Again)
	n.work.posting = nil
}

// comeInSteps makes the members that came n's.
func (m *Machine[P]) comeInSteps(n *Node[P]) {
	w, t := n.work, n.task
	if w.come == nil {
		w.come = n.staged[t.Header.Back].ids()
	}
	count := min(len(w.come), m.limits.PieceNodes)
	for _, x := range w.come[:count] {
		m.dirty.Staged[Stage{n.id, t.Header.Back, x}] = false
		delete(n.staged[t.Header.Back].members, x)
		if x != n.id {
			m.dirty.Members[Pair{n.id, x}] = Membership{Here: true}
		}
	}
	if w.come = w.come[count:]; len(w.come) > 0 {
		return
	}
	delete(n.staged, t.Header.Back)
	m.finish(n)
	switch {
	case t.Op == Taking && t.Settle:
		if parts := components(n.members(), n.journey.list()); len(parts) > 1 {
			m.setTask(n, &Task{Op: Parting, Header: Message{Cause: t.Header.Cause}})
		}
	case t.Op == Owning && t.Header.Again != nil:
		again := *t.Header.Again
		again.To = again.Via
		m.fx.Send(again)
	}
}

// mark tells the store, of each member that leaves, whom it is sent to: what is left of a person when some has been sent no longer
// says where the rest belongs.
func (m *Machine[P]) mark(n *Node[P]) {
	left := m.limits.PieceNodes
	for _, p := range m.parts(n)[1:] {
		for _, x := range p.members {
			if n.others[x] != (ID{}) {
				continue
			}
			if left == 0 {
				return
			}
			left--
			n.others[x] = p.members[0]
			m.dirty.Members[Pair{n.id, x}] = Membership{Here: true, Leaves: p.members[0]}
		}
	}
	n.work.parts = nil
	m.next(n, PhaseSend)
}
