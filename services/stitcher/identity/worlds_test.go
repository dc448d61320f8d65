package identity

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// posted is the stand-in for facts: not additive over merges, so a wrong transfer of a journey shows.
type posted string

// world is some machines, one a partition, and the channels between them: first in first out for each pair, any
// interleaving of pairs. Messages are copied on the way, as a broker would.
type world struct {
	t         *testing.T
	rnd       *rand.Rand
	parts     []*partition
	channels  map[[2]int][]Message
	sum       map[posted]int
	conflicts int
	stats     stats
	local     bool // messages to the same partition are handled at once
	limits    Limits
}

type stats struct{ messages, merges, returns, splits, rollbacks, restarts, pieces, steps, waits int }

// partition is one machine with its changelog and what it has sent since the last commit.
type partition struct {
	w    *world
	i    int
	m    *Machine[*person]
	log  *changelog
	out  []Message
	sum  map[posted]int
	fifo []Message // local messages
}

// person is a set of entries; its facts are all of it.
type person struct{ entries map[string]*Entry }

func (p *person) facts() posted { return factsOf(slices.Collect(maps.Values(p.entries))) }

func factsOf(entries []*Entry) posted {
	var keys []string
	for _, e := range entries {
		if e.Match != nil { // not a tombstone
			keys = append(keys, fmt.Sprintf("%s@%d", e.Key, e.Version))
		}
	}
	slices.Sort(keys)
	return posted(strings.Join(keys, " "))
}

func (p *partition) NewPerson(ID) *person      { return &person{map[string]*Entry{}} }
func (p *partition) Load(of *person, e *Entry) { of.entries[e.Key] = e }
func (p *partition) Size(*person) int          { return 0 }
func (p *partition) Grew(ID, int)              {}

func (p *partition) Put(_ Change, _ string, of *person, old, e *Entry) {
	if of.entries[e.Key] != old {
		p.w.t.Fatalf("%s: what is said to be replaced is not what stands", e.Key)
	}
	p.sum[of.facts()]--
	of.entries[e.Key] = e
	p.sum[of.facts()]++
}

func (p *partition) Merge(_ string, of, from *person) {
	p.sum[of.facts()]--
	p.sum[from.facts()]--
	for k, e := range from.entries {
		if of.entries[k] == nil {
			of.entries[k] = e
		}
	}
	p.sum[of.facts()]++
}

func (p *partition) Post(_ Change, _ string, before, after []*person) {
	for _, f := range before {
		p.sum[f.facts()]--
	}
	for _, f := range after {
		p.sum[f.facts()]++
	}
}

// inSteps posts one thing after another.
type inSteps struct {
	todo []func()
	done int
}

func (s *inSteps) Skip(done int) { s.done = done }

func (s *inSteps) Post(cost int) (int, bool) {
	for ; cost > 0 && s.done < len(s.todo); cost-- {
		s.todo[s.done]()
		s.done++
	}
	return s.done, s.done == len(s.todo)
}

func (p *partition) MergeInSteps(cause string, of, from *person) Posting {
	before := []posted{of.facts(), from.facts()}
	for k, e := range from.entries {
		if of.entries[k] == nil {
			of.entries[k] = e
		}
	}
	return p.steps(before, []posted{of.facts()})
}

func (p *partition) PostInSteps(_ Change, _ string, before, after []*person) Posting {
	all := func(people []*person) (out []posted) {
		for _, f := range people {
			out = append(out, f.facts())
		}
		return out
	}
	return p.steps(all(before), all(after))
}

func (p *partition) steps(before, after []posted) *inSteps {
	s := &inSteps{}
	for _, f := range before {
		s.todo = append(s.todo, func() { p.sum[f]-- })
	}
	for _, f := range after {
		s.todo = append(s.todo, func() { p.sum[f]++ })
	}
	return s
}

func (p *partition) Bytes(e *Entry) int { return 1 + len(e.Joins) }

func (p *partition) Here(id ID) bool { return p.w.home(id) == p.i }

func (p *partition) Send(m Message) {
	switch {
	case m.Kind == Step: // each in a transaction of its own, or it would bound nothing
		p.out = append(p.out, m)
	case p.w.local && p.w.home(m.To) == p.i:
		p.fifo = append(p.fifo, m)
	default:
		m.Journey = slices.Clone(m.Journey)
		p.out = append(p.out, m)
	}
}

func (p *partition) Stored(*Entry)   {}
func (p *partition) Pool(ID) bool    { return true }
func (p *partition) Conflict(*Entry) { p.w.conflicts++ }

// nodeID makes ids whose order is that of the numbers. None is the zero id, which no hash is.
func nodeID(i int) ID { return ID{byte(i >> 8), byte(i), 1} }

func (w *world) home(id ID) int {
	n := int(id[0])<<8 | int(id[1])
	return (n * 7919) % len(w.parts)
}

func newWorld(t *testing.T, rnd *rand.Rand, parts int) *world {
	w := &world{t: t, rnd: rnd, channels: map[[2]int][]Message{}, sum: map[posted]int{}, local: rnd.IntN(2) == 0, limits: DefaultLimits()}
	if rnd.IntN(4) > 0 { // all that is not tiny takes steps
		w.limits = Limits{PieceBytes: 1 + rnd.IntN(12), PieceNodes: 1 + rnd.IntN(4), PostCost: 1 + rnd.IntN(2), Messages: 1 + rnd.IntN(3), HeavyBytes: rnd.IntN(5_000)}
	}
	for i := range parts {
		p := &partition{w: w, i: i, log: newChangelog(), sum: map[posted]int{}}
		p.m = New[*person](p, p.log, w.limits)
		w.parts = append(w.parts, p)
	}
	return w
}

// turn lets one partition handle a few messages in one transaction, which commits or aborts.
func (w *world) turn() bool {
	live := slices.SortedFunc(maps.Keys(w.channels), func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	if len(live) == 0 {
		return false
	}
	p := w.parts[live[w.rnd.IntN(len(live))][1]]
	before := map[[2]int][]Message{}
	for range 1 + w.rnd.IntN(4) {
		var mine [][2]int
		for _, c := range live {
			if c[1] == p.i && len(w.channels[c]) > 0 {
				mine = append(mine, c)
			}
		}
		if len(mine) == 0 {
			break
		}
		c := mine[w.rnd.IntN(len(mine))]
		if _, ok := before[c]; !ok {
			before[c] = w.channels[c]
		}
		m := w.channels[c][0]
		m.Journey = slices.Clone(m.Journey)
		w.channels[c] = w.channels[c][1:]
		p.handle(m)
	}
	if w.rnd.IntN(8) == 0 {
		p.abort()
		maps.Copy(w.channels, before)
		return true
	}
	p.commit()
	for c, q := range w.channels {
		if len(q) == 0 {
			delete(w.channels, c)
		}
	}
	return true
}

func (p *partition) handle(m Message) {
	p.fifo = append(p.fifo, m)
	for len(p.fifo) > 0 {
		m, p.fifo = p.fifo[0], p.fifo[1:]
		p.w.stats.messages++
		if n := p.m.atHand(m.To); n != nil && n.busy() && m.Kind != Step {
			p.w.stats.waits++
		}
		if p.w.stats.messages > 400_000 {
			p.w.t.Fatal("no end: messages chase each other")
		}
		if err := p.m.Handle(m); err != nil {
			p.w.t.Fatal(err)
		}
	}
}

func (p *partition) abort() {
	p.m.Rollback()
	p.out, p.sum = nil, map[posted]int{}
	p.w.stats.rollbacks++
}

func (p *partition) commit() {
	w := p.w
	for f, n := range p.sum {
		w.sum[f] += n
	}
	for _, m := range p.out {
		switch {
		case m.Kind == Piece:
			w.stats.pieces++
		case m.Kind == Step:
			w.stats.steps++
		case m.Kind == Give:
			w.stats.merges++
		case m.Kind == Own && m.Again != nil:
			w.stats.returns++
		case m.Kind == Own:
			w.stats.splits++
		}
		c := [2]int{p.i, w.home(m.To)}
		w.channels[c] = append(w.channels[c], m)
	}
	p.out, p.sum = nil, map[posted]int{}
	p.log.apply(p.m.Dirty())
	p.m.Commit()
	switch w.rnd.IntN(60) {
	case 0: // a crash: all that is left is the changelog
		p.m = New[*person](p, p.log, w.limits)
		w.stats.restarts++
	case 1, 2, 3:
		p.m.Shrink(w.rnd.IntN(20_000))
		w.stats.messages++
		p.m.Age(int64(w.stats.messages))
	case 4:
		p.m.Lighten(int64(w.stats.messages - w.rnd.IntN(100)))
	}
}

// story is a random world: entries that come, are replaced and are taken back.
type story struct{ nodes, parts, ops, takeBack int }

func (s story) run(t *testing.T, seed uint64) stats {
	rnd := rand.New(rand.NewPCG(seed, 0x7468726f))
	w := newWorld(t, rnd, s.parts)
	truth := map[string]*Entry{}
	var pending []Message
	for i := range s.ops {
		e := &Entry{Key: fmt.Sprintf("k%d", i), Version: 1, Home: nodeID(rnd.IntN(s.nodes)), Match: &Match{}}
		if len(truth) > 0 && rnd.IntN(100) < s.takeBack {
			keys := slices.Sorted(maps.Keys(truth))
			old := truth[keys[rnd.IntN(len(keys))]]
			e.Key, e.Version, e.Home = old.Key, old.Version+1, old.Home
			if old.Match != nil && rnd.IntN(10) < 7 {
				e.Match = nil
			}
		}
		if e.Match != nil {
			for range []int{0, 1, 1, 1, 2}[rnd.IntN(5)] {
				if n := nodeID(rnd.IntN(s.nodes)); n != e.Home {
					e.Joins = append(e.Joins, n)
				}
			}
		}
		truth[e.Key] = e
		pending = append(pending, Message{Kind: Put, To: e.Home, Via: e.Home, Cause: e.Key, Entry: e})
	}
	rnd.Shuffle(len(pending), func(i, j int) { pending[i], pending[j] = pending[j], pending[i] })
	for len(pending) > 0 || len(w.channels) > 0 {
		if len(pending) > 0 && (rnd.IntN(4) == 0 || len(w.channels) == 0) {
			m := pending[0]
			c := [2]int{-1, w.home(m.To)}
			w.channels[c] = append(w.channels[c], m)
			pending = pending[1:]
			continue
		}
		w.turn()
	}
	w.check(seed, s.nodes, truth)
	for _, p := range w.parts { // and as read from the changelogs
		p.m = New[*person](p, p.log, w.limits)
	}
	w.check(seed, s.nodes, truth)
	return w.stats
}

// check compares what is at rest with the components computed from scratch.
func (w *world) check(seed uint64, nodes int, truth map[string]*Entry) {
	t := w.t
	var all []ID
	for i := range nodes {
		all = append(all, nodeID(i))
	}
	want := map[posted]int{}
	entries := slices.SortedFunc(maps.Values(truth), func(a, b *Entry) int { return strings.Compare(a.Key, b.Key) })
	for _, c := range components(all, entries) {
		root := c.members[0]
		n := w.node(root)
		if n.busy() || len(n.staged) > 0 {
			t.Fatalf("seed %d: node %x has not ended: %+v, %d wait, %d are staged", seed, root[:2], n.task, len(n.waiting), len(n.staged))
		}
		if n.away || !slices.Equal(n.members(), c.members) || !slices.Equal(n.journey.list(), c.entries) {
			t.Fatalf("seed %d: node %x owns %x with %d entries, want %x with %d", seed, root[:2], n.members(), n.journey.len(), c.members, len(c.entries))
		}
		for _, x := range c.members {
			w.follow(seed, x, root)
		}
		want[factsOf(c.entries)]++
	}
	for i, p := range w.parts {
		p.log.atRest(t, seed, i)
	}
	delete(want, "")
	delete(w.sum, "")
	maps.DeleteFunc(w.sum, func(_ posted, n int) bool { return n == 0 })
	if !maps.Equal(w.sum, want) {
		t.Fatalf("seed %d: posted %v, want %v", seed, w.sum, want)
	}
}

func (w *world) node(id ID) *Node[*person] {
	n, err := w.parts[w.home(id)].m.node(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// follow walks a node's path to its owner.
func (w *world) follow(seed uint64, x, owner ID) {
	at := x
	for range 200 {
		n := w.node(at)
		if n.owns(x) {
			if at != owner {
				w.t.Fatalf("seed %d: path of %x ends at %x, not at %x", seed, x[:2], at[:2], owner[:2])
			}
			return
		}
		next, ok, err := w.parts[w.home(at)].m.movedTo(n, x)
		if err != nil || !ok {
			w.t.Fatalf("seed %d: path of %x breaks at %x", seed, x[:2], at[:2])
		}
		at = next
	}
	w.t.Fatalf("seed %d: path of %x has no end", seed, x[:2])
}

var worlds = flag.Int("worlds", 12_000, "random small worlds to play; large ones are a three-hundredth of that")

// TestWorlds is the Go twin of the simulation beside the protocol's design: links in any order, replaced and taken
// back, any interleaving of channels; and aborted transactions and restarts from the changelog on top.
func TestWorlds(t *testing.T) {
	var total stats
	add := func(s stats) {
		total.messages += s.messages
		total.merges += s.merges
		total.returns += s.returns
		total.splits += s.splits
		total.rollbacks += s.rollbacks
		total.restarts += s.restarts
		total.pieces += s.pieces
		total.steps += s.steps
		total.waits += s.waits
	}
	if testing.Short() { // under the race detector: it is slow, and the number of worlds proves nothing more to it
		*worlds = 300
	}
	for seed := range uint64(*worlds) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		add(story{2 + rnd.IntN(28), 1 + rnd.IntN(8), 1 + rnd.IntN(119), []int{0, 20, 40, 70}[rnd.IntN(4)]}.run(t, seed))
	}
	for seed := range uint64(*worlds / 300) {
		add(story{300, 12, 1500, 35}.run(t, 1_000_000+seed))
	}
	t.Logf("%d worlds: %+v", *worlds, total)
	if total.merges == 0 || total.returns == 0 || total.splits == 0 || total.rollbacks == 0 || total.restarts == 0 || total.pieces == 0 || total.waits == 0 {
		t.Errorf("the worlds are too tame to prove anything: %+v", total)
	}
}
