package stitcher

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/identity"
	"github.com/throughline-io/throughline/services/stitcher/journey"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

var worlds = flag.Int("worlds", 600, "random worlds to play")

// TestPartitionsAgreeWithBatch is the promise of order-freedom: any order of arrival, any number of partitions, duplicates,
// transactions that abort and are repeated, restarts from the changelog - and the ledger is the batch path's, and its sales
// are the CRM's, to the minor unit.
func TestPartitionsAgreeWithBatch(t *testing.T) {
	var merges, splits, rollbacks, restarts, pieces int
	if testing.Short() {
		*worlds = 120
	}
	for seed := range uint64(*worlds) {
		w := newWorld(seed)
		c := newCluster(w, seed)
		c.play()
		c.close()
		want := newSums()
		want.add(journey.Batch(w.events, w.rules.Rules))
		c.sums.equal(t, seed, want)
		count, revenue, cogs := w.wonTotal()
		for m := fact.FirstTouch; m <= fact.WShaped; m++ {
			if got := c.sums.saleTotals()[m]; got != [3]int64{count * 1_000_000, revenue, cogs} {
				t.Fatalf("seed %d: %s: sales %v, the CRM has %d of %d and %d", seed, m, got, count, revenue, cogs)
			}
		}
		merges, splits = merges+c.causes[fact.CauseMerge], splits+c.causes[fact.CauseSplit]
		rollbacks, restarts, pieces = rollbacks+c.rollbacks, restarts+c.restarts, pieces+c.pieces
	}
	t.Logf("%d worlds: %d entries moved by merges, %d by splits; %d aborted transactions, %d restarts, %d pieces", *worlds, merges, splits, rollbacks, restarts, pieces)
	if merges == 0 || splits == 0 || rollbacks == 0 || restarts == 0 || pieces == 0 {
		t.Error("the worlds are too tame to prove anything")
	}
}

// cluster is some partitions with their logs, as Kafka would keep them: everything that passes between partitions and
// everything that outlives a restart passes through its bytes.
type cluster struct {
	w          *world
	rnd        *rand.Rand
	partitions []*Partition
	events     [][][]byte            // by partition, not taken yet
	messages   map[[2]int32][][]byte // by sender and receiver, in order
	changelog  []map[string][]byte   // by partition, compacted
	store      *state.Store
	limits     identity.Limits
	sums       *sums
	causes     map[fact.CauseType]int
	rollbacks  int
	restarts   int
	pieces     int
	// former is true for partitions whose facts are still those of the first programs.
	former map[int32]bool
	lean   Rules
	late   [][][]byte // events that come only after the upgrade
}

// partition makes one that holds nothing at hand.
func (c *cluster) partition(id, of int32) *Partition {
	p := NewPartition(id, of, map[string]Rules{"w": c.rules(id)}, c.store.Partition(id), 3)
	p.limits = c.limits
	return p
}

func newCluster(w *world, seed uint64) *cluster {
	rnd := rand.New(rand.NewPCG(seed, 3))
	c := newClusterOf(w, seed, 1+rnd.Int32N(12))
	c.shuffle()
	return c
}

// newClusterOf gives each partition its events in the order told.
func newClusterOf(w *world, seed uint64, of int32) *cluster {
	rnd := rand.New(rand.NewPCG(seed, 4))
	c := &cluster{w: w, rnd: rnd, messages: map[[2]int32][][]byte{}, sums: newSums(), causes: map[fact.CauseType]int{}, former: map[int32]bool{}}
	rules := *w.rules.Rules
	rules.Lean = true
	c.lean = Rules{Config: []byte("former"), Rules: &rules}
	c.limits = identity.DefaultLimits()
	if rnd.IntN(3) > 0 { // what is not tiny is moved in steps
		c.limits = identity.Limits{PieceBytes: 1 + rnd.IntN(1000), PieceNodes: 1 + rnd.IntN(4), PostCost: 1 + rnd.IntN(8), Messages: 1 + rnd.IntN(3), HeavyBytes: rnd.IntN(10_000)}
	}
	c.events, c.late = make([][][]byte, of), make([][][]byte, of)
	var err error
	c.store, err = state.Open("", state.Options{CacheBytes: 1 << 20, MemtableBytes: 1 << 20, RecentBytes: int(of%3) << 16})
	must(err)
	former := rnd.IntN(4) == 0
	for id := range of {
		c.former[id] = former
		c.partitions = append(c.partitions, c.partition(id, of))
		c.changelog = append(c.changelog, map[string][]byte{})
	}
	for _, e := range w.events {
		c.arrive(e)
	}
	return c
}

// arrive puts an event where the collector would.
func (c *cluster) arrive(e *event.Event) {
	var id event.NodeID
	if e.Type == event.Spend {
		id = event.SpendKey(e)
	} else {
		id = e.Nodes[0].ID
	}
	p := pipelines.Partition(id, int32(len(c.partitions)))
	c.events[p] = append(c.events[p], e.Append(nil))
}

// shuffle has the events arrive in any order, and some of them twice.
func (c *cluster) shuffle() {
	arrivals := slices.Clone(c.w.events)
	for _, e := range c.w.events {
		if c.rnd.IntN(10) == 0 {
			arrivals = append(arrivals, e)
		}
	}
	c.rnd.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
	clear(c.events)
	for _, e := range arrivals {
		c.arrive(e)
	}
	for p := range c.events { // some come to the upgraded program alone
		if c.former[int32(p)] {
			n := c.rnd.IntN(1 + len(c.events[p])/2)
			c.late[p], c.events[p] = c.events[p][:n:n], c.events[p][n:]
		}
	}
}

// message is one with its size as it travels.
type message struct {
	*state.Envelope
	size int
}

// pop takes the first message of a channel.
func (c *cluster) pop(k [2]int32) message {
	raw := c.messages[k][0]
	c.messages[k] = c.messages[k][1:]
	m, err := state.ParseMessage(raw, &event.Decoder{})
	must(err)
	return message{m, len(raw)}
}

// rules are those that a partition's program has.
func (c *cluster) rules(id int32) Rules {
	if c.former[id] {
		return c.lean
	}
	return c.w.rules
}

// upgrade restarts what still runs the first program, at rest as the runbook says, and reports whether anything did.
func (c *cluster) upgrade() (any bool) {
	for id := range int32(len(c.partitions)) {
		if c.former[id] {
			c.former[id], any = false, true
			c.restart(id)
		}
	}
	return any
}

// play runs transactions of random partitions over a few records each until nothing is left.
func (c *cluster) play() {
	for {
		var ready []int32
		for id := range int32(len(c.partitions)) {
			if len(c.events[id])+len(c.inbox(id)) > 0 {
				ready = append(ready, id)
			}
		}
		if len(ready) == 0 {
			if late := c.late; c.upgrade() || late != nil {
				c.late = nil
				copy(c.events, late)
				continue
			}
			return
		}
		c.transaction(ready[c.rnd.IntN(len(ready))])
	}
}

func (c *cluster) inbox(to int32) (from []int32) {
	for id := range int32(len(c.partitions)) {
		if len(c.messages[[2]int32{id, to}]) > 0 {
			from = append(from, id)
		}
	}
	return from
}

func (c *cluster) transaction(id int32) {
	p := c.partitions[id]
	p.At(1_800_000_000_000)
	events, messages := c.events[id], map[[2]int32][][]byte{}
	for range 1 + c.rnd.IntN(5) {
		if from := c.inbox(id); len(from) > 0 && (len(c.events[id]) == 0 || c.rnd.IntN(2) == 0) {
			k := [2]int32{from[c.rnd.IntN(len(from))], id}
			if _, ok := messages[k]; !ok {
				messages[k] = c.messages[k]
			}
			must(p.Message(c.pop(k).Envelope))
		} else if len(c.events[id]) > 0 {
			e, err := event.Decode(c.events[id][0])
			must(err)
			c.events[id] = c.events[id][1:]
			must(p.Event(&e))
		}
	}
	if c.rnd.IntN(6) == 0 { // it aborts, and all is to be done again
		p.Rollback()
		c.rollbacks++
		c.events[id] = events
		for k, q := range messages {
			c.messages[k] = q
		}
		return
	}
	c.commit(p, c.rnd.IntN(20_000))
	if c.rnd.IntN(10) == 0 {
		p.Lighten(p.now)
	}
	if c.rnd.IntN(20) == 0 {
		c.restart(id)
	}
}

// commit writes what a transaction would, as bytes.
func (c *cluster) commit(p *Partition, cacheBytes int) {
	out := p.Output()
	for i := range out.Messages {
		if out.Messages[i].Kind == identity.Piece {
			c.pieces++
		}
		k := [2]int32{p.id, p.home(out.Messages[i].To)}
		c.messages[k] = append(c.messages[k], state.AppendMessage(nil, &out.Messages[i]))
	}
	for _, whole := range out.Postings {
		for _, part := range fact.Split(whole, 3) { // far below the real limit, so that parts are the rule
			got, err := fact.Decode(part.Append(nil))
			must(err)
			c.sums.add(&got)
			for _, b := range got.Bookings {
				c.causes[b.CauseType]++
			}
		}
	}
	changes, err := p.Changes(&state.Arena{})
	must(err)
	batch := c.store.NewBatch(0)
	for _, r := range changes {
		if r.Value == nil {
			delete(c.changelog[p.id], string(r.Key))
		} else {
			c.changelog[p.id][string(r.Key)] = bytes.Clone(r.Value)
		}
		must(batch.Add(p.id, r))
	}
	must(batch.Apply())
	must(p.Commit(cacheBytes))
}

// restart throws the memory away, and sometimes what is on the disk with it: then that is restored from the changelog.
func (c *cluster) restart(id int32) {
	must(c.partitions[id].store.Refresh())
	if c.rnd.IntN(2) == 0 {
		must(c.store.Clear(id))
		batch := c.store.NewBatch(0)
		for k, v := range c.changelog[id] {
			must(batch.Add(id, state.Record{Key: []byte(k), Value: v}))
		}
		must(batch.Apply())
	}
	p := c.partition(id, int32(len(c.partitions)))
	p.At(1_800_000_000_000)
	_, err := p.Rebuild(func(config []byte) (*journey.Rules, error) {
		if string(config) != "former" {
			panic("the configuration has not changed")
		}
		return c.lean.Rules, nil
	})
	must(err)
	c.partitions[id] = p
	c.commit(p, c.rnd.IntN(20_000))
	c.restarts++
}

func (c *cluster) close() {
	for _, p := range c.partitions {
		must(p.store.Refresh())
	}
	must(c.store.Close())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
