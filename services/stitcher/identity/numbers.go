package identity

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sort"
	"strings"
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

// CallOf is the key of the call that a link derives from.
func CallOf(match string) string { return strings.TrimPrefix(match, matchPrefix) }

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
	Several     bool // visitors: no call is matched while it lasts
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

// number finds a number's node in the store at first.
func (m *Machine[P]) number(id ID) (*number, error) {
	n := m.numbers[id]
	if n == nil {
		leases, calls, err := m.store.Number(id)
		if err != nil {
			return nil, err
		}
		n = newNumber(leases, calls)
		m.numbers[id] = n
	}
	m.touchedNumbers[id] = struct{}{}
	return n, nil
}

func newNumber(leases []*Lease, calls []*Call) *number {
	n := &number{leases: leases, calls: calls, known: make(map[string]struct{}, len(leases)+len(calls))}
	slices.SortFunc(n.leases, compareLeases)
	slices.SortFunc(n.calls, compareCalls)
	for _, l := range leases {
		n.longest = max(n.longest, l.Until-l.From)
		n.known[l.Key] = struct{}{}
	}
	for _, c := range calls {
		n.known[c.Key] = struct{}{}
	}
	return n
}

func compareLeases(a, b *Lease) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Key, b.Key))
}

func compareCalls(a, b *Call) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Key, b.Key))
}

func (m *Machine[P]) leased(msg Message) error {
	n, err := m.number(msg.To)
	l := msg.Lease
	if err != nil || !n.learn(l.Key) {
		return err
	}
	n.addLease(l)
	m.dirty.Leases[EntryRef{msg.To, l.Key}] = l
	from := sort.Search(len(n.calls), func(i int) bool { return n.calls[i].Time >= l.From })
	for i := from; i < len(n.calls) && n.calls[i].Time < l.Until; i++ {
		m.rematch(msg, n, i)
	}
	return nil
}

func (m *Machine[P]) called(msg Message) error {
	n, err := m.number(msg.To)
	c := *msg.Call
	if err != nil || !n.learn(c.Key) {
		return err
	}
	i := n.addCall(&c)
	m.dirty.Calls[EntryRef{msg.To, c.Key}] = &c
	m.rematch(msg, n, i)
	return nil
}

// rematch tells the caller's person what the leases now say of a call, if that is news.
func (m *Machine[P]) rematch(msg Message, n *number, i int) {
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
	m.dirty.Calls[EntryRef{msg.To, c.Key}] = &c
	e := &Entry{Key: MatchKey(c.Key), Version: c.Version, Home: c.Home, Match: &match}
	if match.State == Matched && match.Visitor != c.Home {
		e.Joins = []ID{match.Visitor}
	}
	m.fx.Send(Message{Kind: Put, To: c.Home, Via: c.Home, Cause: msg.Cause, Entry: e})
}

// Rematch looks at every call to a number again: the pools have changed.
func (m *Machine[P]) Rematch(id ID, cause string) error {
	n, err := m.number(id)
	if err != nil {
		return err
	}
	for i := range n.calls {
		m.rematch(Message{To: id, Cause: cause}, n, i)
	}
	return nil
}

// match finds who held the number at t: one visitor, however often leased, or nobody, or several.
func (n *number) match(t int64) Match {
	var out Match
	end := sort.Search(len(n.leases), func(i int) bool { return n.leases[i].From > t })
	for i := end - 1; i >= 0 && n.leases[i].From > t-n.longest-1; i-- {
		l := n.leases[i]
		switch {
		case t >= l.Until:
		case l.Several:
			return Match{State: Ambiguous}
		case out.State == Unmatched:
			out = Match{Matched, l.Visitor}
		case out.Visitor != l.Visitor:
			return Match{State: Ambiguous}
		}
	}
	return out
}

// learn notes a key and reports that it is new. Leases and calls are told at least once.
func (n *number) learn(key string) bool {
	if _, ok := n.known[key]; ok {
		return false
	}
	n.known[key] = struct{}{}
	return true
}

func (n *number) addLease(l *Lease) {
	i, _ := slices.BinarySearchFunc(n.leases, l, compareLeases)
	n.leases = slices.Insert(n.leases, i, l)
	n.longest = max(n.longest, l.Until-l.From)
}

func (n *number) addCall(c *Call) int {
	i, _ := slices.BinarySearchFunc(n.calls, c, compareCalls)
	n.calls = slices.Insert(n.calls, i, c)
	return i
}
