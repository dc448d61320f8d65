package identity

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sort"
)

// MatchState is what a number's leases say of a call. Values are stored: never renumber.
type MatchState uint8

// States of a match.
const (
	Unmatched MatchState = 0
	Matched   MatchState = 1
	Ambiguous MatchState = 2
)

// Match is what a number's node says of a call; it travels in the entry of the link that the call derives.
type Match struct {
	State   MatchState
	Visitor ID // set if Matched
}

// matchPrefix begins the key of a derived link. No event's key has a colon before its slash.
const matchPrefix = "match:"

// MatchKey is the key of the link that a call derives.
func MatchKey(call string) string { return matchPrefix + call }

// NumberNode is the node that keeps a number's leases and calls. It is no client's and joins nobody.
func NumberNode(e164 string) ID {
	sum := sha256.Sum256([]byte("number\x00" + e164))
	return ID(sum[:16])
}

// Lease says that a visitor was shown the number in [From, Until).
type Lease struct {
	Key         string
	From, Until int64 // ms
	Visitor     ID
}

// Call is a call to the number, with what was last said of it.
type Call struct {
	Key     string
	Time    int64 // ms
	Home    ID    // of the call's event
	Version uint64
	Match   Match
}

// number is the state of a pool number's node. Leases are sorted by (From, Key), calls by (Time, Key).
type number struct {
	leases  []*Lease
	calls   []*Call
	known   map[string]struct{} // keys of both
	longest int64               // of all leases: how far back one may begin that still holds
}

func (m *Machine[F]) number(id ID) *number {
	n := m.numbers[id]
	if n == nil {
		n = &number{known: map[string]struct{}{}}
		m.numbers[id] = n
	}
	return n
}

func (m *Machine[F]) leased(msg Message) {
	n, l := m.number(msg.To), msg.Lease
	if !m.learn(n, l.Key) {
		return
	}
	m.addLease(n, l)
	m.dirty.Leases[EntryRef{msg.To, l.Key}] = l
	from := sort.Search(len(n.calls), func(i int) bool { return n.calls[i].Time >= l.From })
	for i := from; i < len(n.calls) && n.calls[i].Time < l.Until; i++ {
		m.rematch(msg, n, i)
	}
}

func (m *Machine[F]) called(msg Message) {
	n, c := m.number(msg.To), *msg.Call
	if !m.learn(n, c.Key) {
		return
	}
	i := n.addCall(&c)
	m.undo = append(m.undo, func() { n.dropCall(c.Key) })
	m.dirty.Calls[EntryRef{msg.To, c.Key}] = &c
	m.rematch(msg, n, i)
}

// rematch tells the caller's person what the leases now say of a call, if that is news.
func (m *Machine[F]) rematch(msg Message, n *number, i int) {
	old := n.calls[i]
	var match Match
	if m.fx.Pool(msg.To) {
		match = n.match(old.Time)
	}
	if match == old.Match {
		return
	}
	c := *old
	c.Match = match
	c.Version++
	n.calls[i] = &c
	m.undo = append(m.undo, func() { n.calls[n.findCall(c.Key)] = old })
	m.dirty.Calls[EntryRef{msg.To, c.Key}] = &c
	e := &Entry{Key: MatchKey(c.Key), Version: c.Version, Home: c.Home, Match: &match}
	if match.State == Matched && match.Visitor != c.Home {
		e.Joins = []ID{match.Visitor}
	}
	m.fx.Send(Message{Kind: Put, To: c.Home, Via: c.Home, Cause: msg.Cause, Entry: e})
}

// Rematch looks at every call again: the pools have changed.
func (m *Machine[F]) Rematch(cause string) {
	for id, n := range m.numbers {
		for i := range n.calls {
			m.rematch(Message{To: id, Cause: cause}, n, i)
		}
	}
}

// match finds who held the number at t: one visitor, however often leased, or nobody, or several.
func (n *number) match(t int64) Match {
	var out Match
	end := sort.Search(len(n.leases), func(i int) bool { return n.leases[i].From > t })
	for i := end - 1; i >= 0 && n.leases[i].From > t-n.longest-1; i-- {
		l := n.leases[i]
		switch {
		case t >= l.Until:
		case out.State == Unmatched:
			out = Match{Matched, l.Visitor}
		case out.Visitor != l.Visitor:
			return Match{State: Ambiguous}
		}
	}
	return out
}

// learn notes a key and reports that it is new. Leases and calls are told at least once.
func (m *Machine[F]) learn(n *number, key string) bool {
	if _, ok := n.known[key]; ok {
		return false
	}
	n.known[key] = struct{}{}
	m.undo = append(m.undo, func() { delete(n.known, key) })
	return true
}

func (m *Machine[F]) addLease(n *number, l *Lease) {
	longest := n.longest
	i := n.insertLease(l)
	m.undo = append(m.undo, func() {
		n.leases = slices.Delete(n.leases, i, i+1)
		n.longest = longest
	})
}

func (n *number) insertLease(l *Lease) int {
	i, _ := slices.BinarySearchFunc(n.leases, l, func(a, b *Lease) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Key, b.Key))
	})
	n.leases = slices.Insert(n.leases, i, l)
	n.longest = max(n.longest, l.Until-l.From)
	return i
}

func (n *number) addCall(c *Call) int {
	i, _ := slices.BinarySearchFunc(n.calls, c, func(a, b *Call) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Key, b.Key))
	})
	n.calls = slices.Insert(n.calls, i, c)
	return i
}

func (n *number) findCall(key string) int {
	return slices.IndexFunc(n.calls, func(c *Call) bool { return c.Key == key })
}

func (n *number) dropCall(key string) {
	i := n.findCall(key)
	n.calls = slices.Delete(n.calls, i, i+1)
}
