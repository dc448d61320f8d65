package identity

import (
	"slices"
)

// Op is what a node does in steps. Values are stored: never renumber.
type Op uint8

// Operations.
const (
	Giving    Op = 1 // all of a person leaves for a smaller owner
	Returning Op = 2 // a person that came in pieces goes back
	Taking    Op = 3 // a person that came in pieces becomes part of the node's
	Owning    Op = 4 // a person that came in pieces becomes the node's
	Parting   Op = 5 // parts of the person leave, each for its smallest node
)

// Phase is how far a task is. Values are stored: never renumber.
type Phase uint8

// Phases. Giving and Returning have the last alone.
const (
	PhasePost Phase = 0 // Taking, Parting: what changes is posted
	PhaseMark Phase = 1 // Parting: each member is told whom it will be sent to
	PhaseCome Phase = 2 // Taking, Owning: the members that came become the node's
	PhaseSend Phase = 3
)

// Task is what a node does in steps, for its person is too large to be handled at once. While there is one, what comes for the node
// waits: so all other nodes see it done in one moment, only later. Each step ends with a message to the node itself, that it go on.
type Task struct {
	Op     Op
	Phase  Phase
	Done   int     // of what is to be posted
	Settle bool    // Taking: the components have to be looked at afterwards
	Header Message // of the message that ends or began it
}

// Limits bound what one step does.
type Limits struct {
	// PieceBytes is how much of a person travels in one message, about: one entry at least.
	PieceBytes int
	// PieceNodes is how many members do.
	PieceNodes int
	// PostCost is how many rows and touches of windows are posted, about: one conversion's at least.
	PostCost int
	// Messages is how many of those that waited are handled.
	Messages int
	// HeavyBytes is how much a node takes of memory that is kept at hand beyond the others, since it is slow to read.
	HeavyBytes int
}

// DefaultLimits keep a message below what a broker takes by default, and a step below a second.
func DefaultLimits() Limits {
	return Limits{PieceBytes: 512 << 10, PieceNodes: 2_000, PostCost: 10_000, Messages: 500, HeavyBytes: 1 << 20}
}

// staged is a person that is being sent to a node in pieces.
type staged struct {
	members map[ID]struct{}
	entries []*Entry
}

// ids are the members, sorted.
func (s *staged) ids() []ID {
	out := make([]ID, 0, len(s.members))
	for x := range s.members {
		out = append(out, x)
	}
	slices.SortFunc(out, compare)
	return out
}

// work is what a task has at hand; it can be made anew from the task and the node.
type work[P any] struct {
	posting Posting
	parts   []part
	after   []P
	come    []ID
	leave   []leaver
}

// leaver is a member that leaves, with what is at home there.
type leaver struct {
	id, to  ID
	entries []*Entry
}

// large reports that a person is too large to be moved at once.
func (m *Machine[P]) large(nodes int, j *journey) bool {
	if nodes > m.limits.PieceNodes {
		return true
	}
	bytes := 0
	j.each(func(e *Entry) { bytes += m.fx.Bytes(e) })
	return bytes > m.limits.PieceBytes
}

// begin starts a task.
func (m *Machine[P]) begin(n *Node[P], t *Task) {
	m.touch(n)
	waits := n.busy()
	n.work = nil
	m.setTask(n, t)
	if !waits {
		m.fx.Send(Message{Kind: Step, To: n.id, Cause: t.Header.Cause})
	}
}

// setTask: a task is replaced and never changed, since what was committed must not change with it.
func (m *Machine[P]) setTask(n *Node[P], t *Task) {
	n.task = t
	m.dirty.Tasks[n.id] = t
}

// wait puts a message behind those that wait already.
func (m *Machine[P]) wait(n *Node[P], msg Message) {
	m.touch(n)
	n.waiting = append(n.waiting, Waiting{n.nextSeq, &msg})
	m.dirty.Waiting[WaitRef{n.id, n.nextSeq}] = &msg
	n.nextSeq++
}

// step goes on with what the node does, or else with what has waited.
func (m *Machine[P]) step(n *Node[P]) error {
	m.touch(n)
	if n.task != nil {
		m.advance(n)
	} else if err := m.catchUp(n); err != nil {
		return err
	}
	if n.busy() {
		m.fx.Send(Message{Kind: Step, To: n.id})
	}
	return nil
}

// catchUp handles messages that waited, until one of them begins something that takes steps.
func (m *Machine[P]) catchUp(n *Node[P]) error {
	for i := 0; i < m.limits.Messages && n.task == nil && len(n.waiting) > 0; i++ {
		w := n.waiting[0]
		// It stands there until it is done: what it sends to this node comes behind it, and begin sees that a step is due.
		if err := m.handle(n, *w.Message); err != nil {
			return err
		}
		n.waiting = n.waiting[1:]
		m.dirty.Waiting[WaitRef{n.id, w.Seq}] = nil
	}
	if len(n.waiting) == 0 {
		n.waiting = nil
	}
	return nil
}

// advance takes one step of the node's task.
func (m *Machine[P]) advance(n *Node[P]) {
	if n.work == nil {
		n.work = &work[P]{}
	}
	switch n.task.Phase {
	case PhasePost:
		m.post(n)
	case PhaseMark:
		m.mark(n)
	case PhaseCome:
		m.comeInSteps(n)
	case PhaseSend:
		m.sendPieces(n)
	}
}

// next begins another phase of the task.
func (m *Machine[P]) next(n *Node[P], to Phase) {
	t := *n.task
	t.Phase = to
	m.setTask(n, &t)
}

// finish ends the task.
func (m *Machine[P]) finish(n *Node[P]) {
	n.work = nil
	m.setTask(n, nil)
}
