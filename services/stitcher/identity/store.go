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

// Record is what a store knows of a node. A node that is away has nothing else.
type Record struct {
	Away    bool
	Next    ID // where it went
	Others  []ID
	Entries []*Entry // at home at the node itself
}

// Dirty is what changed since the last Commit, for the changelog.
type Dirty struct {
	Entries map[EntryRef]*Entry // nil: it left the partition
	Members map[Pair]bool       // A owns B beside itself; false: no longer
	Moved   map[Pair]ID         // A gave B away; the zero id: it is back
	Leases  map[EntryRef]*Lease // Home is the number's node
	Calls   map[EntryRef]*Call
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
	return Dirty{map[EntryRef]*Entry{}, map[Pair]bool{}, map[Pair]ID{}, map[EntryRef]*Lease{}, map[EntryRef]*Call{}}
}

func (d *Dirty) clear() {
	clear(d.Entries)
	clear(d.Members)
	clear(d.Moved)
	clear(d.Leases)
	clear(d.Calls)
}
