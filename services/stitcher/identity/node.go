package identity

import (
	"maps"
	"slices"
)

// Node is one identifier's state on its partition. It is the owner of a person, at first of itself alone, or away: its person
// has another owner.
type Node[P any] struct {
	id   ID
	away bool
	// others are the members of an owner beside itself, with whom they are about to be sent to, if to anybody.
	others  map[ID]ID
	journey journey
	person  P
	// moved is the next node on the path to x, for each x that this node gave away, as far as that was asked for or has changed;
	// the zero id where x is not away.
	moved map[ID]ID
	// task is what the node does in steps; what comes for it meanwhile waits.
	task    *Task
	work    *work[P] // the task's, at hand
	staged  map[ID]*staged
	waiting []Waiting
	nextSeq uint64
	size    int
	touched bool
	used    bool  // a heavy one, since Age
	last    int64 // when that was
}

// busy: what comes for the node has to wait.
func (n *Node[P]) busy() bool { return n.task != nil || len(n.waiting) > 0 }

func (n *Node[P]) owns(id ID) bool {
	if n.away {
		return false
	}
	if id == n.id {
		return true
	}
	_, ok := n.others[id]
	return ok
}

// members are all nodes of an owner's person, sorted: the owner is the first.
func (n *Node[P]) members() []ID {
	out := make([]ID, 0, 1+len(n.others))
	out = append(slices.AppendSeq(out, maps.Keys(n.others)), n.id)
	slices.SortFunc(out, compare)
	return out
}

// Sizes in memory, about, for the bound of the cache.
const (
	nodeBytes  = 250
	entryBytes = 300
	idBytes    = 40
)

func (n *Node[P]) measure() {
	n.size = nodeBytes + entryBytes*(n.journey.len()+len(n.waiting)) + idBytes*(len(n.others)+len(n.moved))
	for _, s := range n.staged {
		n.size += entryBytes*len(s.entries) + idBytes*len(s.members)
	}
}
