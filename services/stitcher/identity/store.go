package identity

// Store is where a machine's state rests: all that was committed, and nothing else. What it returns is the machine's.
type Store interface {
	// Node is what is known of a node: where itself went, or the members of its person beside it, and the entries at home there.
	Node(ID) (Record, error)
	// Entries are the entries that are at home at a node, of whichever person of this partition.
	Entries(home ID) ([]*Entry, error)
	// Moved is the next node on the path to x, which node gave away.
	Moved(node, x ID) (next ID, ok bool, err error)
	// Number is what a number's node knows.
	Number(ID) ([]*Lease, []*Call, error)
}

// Record is what a store knows of a node. A node that is away has neither others nor entries.
type Record struct {
	Away    bool
	Next    ID // where it went
	Others  []Other
	Entries []*Entry // at home at the node itself
	Task    *Task
	Staged  []Pair // who sent a member, and the member
	Waiting []Waiting
}

// Other is a member of an owner's person beside the owner. Leaves, where it is set, is the owner that it is about to be sent to.
type Other struct{ ID, Leaves ID }

// Waiting is a message that waits until its node has ended what it does in steps.
type Waiting struct {
	Seq     uint64
	Message *Message
}

// Dirty is what changed since the last Commit, for the changelog.
type Dirty struct {
	Entries map[EntryRef]*Entry // nil: it left the partition
	Members map[Pair]Membership // of A's person, B beside itself
	Moved   map[Pair]ID         // A gave B away; the zero id: it is back
	Leases  map[EntryRef]*Lease // Home is the number's node
	Calls   map[EntryRef]*Call
	Tasks   map[ID]*Task // nil: it has ended
	Staged  map[Stage]bool
	Waiting map[WaitRef]*Message // nil: it was handled
}

// Membership is whether a node is of a person, and whom it is about to be sent to.
type Membership struct {
	Here   bool
	Leaves ID
}

// Stage names a member that a node was sent in a piece.
type Stage struct{ Node, From, Member ID }

// WaitRef names a message that waits at a node.
type WaitRef struct {
	Node ID
	Seq  uint64
}

// EntryRef names an entry on a partition. Entries stand by their home and not by their owner, so that a person that moves
// within a partition rewrites nothing.
type EntryRef struct {
	Home ID
	Key  string
}

// Pair is two nodes.
type Pair struct{ A, B ID }

func newDirty() Dirty {
	return Dirty{
		map[EntryRef]*Entry{}, map[Pair]Membership{}, map[Pair]ID{}, map[EntryRef]*Lease{}, map[EntryRef]*Call{},
		map[ID]*Task{}, map[Stage]bool{}, map[WaitRef]*Message{},
	}
}

func (d *Dirty) clear() {
	clear(d.Entries)
	clear(d.Members)
	clear(d.Moved)
	clear(d.Leases)
	clear(d.Calls)
	clear(d.Tasks)
	clear(d.Staged)
	clear(d.Waiting)
}
