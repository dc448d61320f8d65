package stitcher

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/identity"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

// What a step of a large person may write: a record that every broker takes by default, and a transaction of some of them.
const (
	recordLimit      = 1 << 20
	transactionLimit = 8 << 20
)

// TestLargePersonsMergeInBoundedSteps joins two journeys of 200,000 events each and two persons of 50,000 identifiers each, through all
// that a real one goes through but the broker: every record and every transaction stays small, and the ledger is the batch path's.
func TestLargePersonsMergeInBoundedSteps(t *testing.T) {
	events, nodes := 200_000, 50_000
	if testing.Short() {
		events, nodes = 10_000, 4_000
	}
	w := &world{rnd: rand.New(rand.NewPCG(1, 1)), rules: testRules(rand.New(rand.NewPCG(1, 1)))}
	w.rules.Lookback, w.rules.MaxTouches = 90*day, 1000
	join := func(a, b event.Node) { w.add(event.Identify, "site", a, b) }
	for _, c := range []struct {
		name string
		tell func()
	}{
		{"two journeys", func() {
			kiosk, bot := node("anonymous_id", "kiosk"), node("anonymous_id", "bot")
			for i := range events {
				w.visit(kiosk)
				w.visit(bot)
				if i%(events/10) == 0 {
					w.form(kiosk)
					w.form(bot)
				}
			}
			join(kiosk, bot)
		}},
		{"two persons with very many identifiers", func() {
			for i := range nodes {
				for _, shared := range []event.Node{node("phone", "office"), node("phone", "shop")} {
					w.visit(node("anonymous_id", fmt.Sprint(shared.ID, i)), shared)
				}
			}
			join(node("phone", "office"), node("phone", "shop"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.events, w.n = nil, 0
			c.tell()
			all := newLargeCluster(w)
			defer all.close()
			began := time.Now()
			all.playLarge(t)
			all.arrive(w.events[len(w.events)-1]) // the one that joins
			all.playLarge(t)
			t.Logf("%d events in %v: %d transactions, the longest %v; the largest record %d bytes, transaction %d bytes; %d pieces, %d steps",
				len(w.events), time.Since(began), all.transactions, all.longest, all.record, all.transaction, all.pieces, all.steps)
			if all.pieces == 0 || all.steps == 0 {
				t.Error("nothing was moved in pieces")
			}
			want := newSums()
			want.add(journey.Batch(w.events, w.rules.Rules))
			all.sums.equal(t, 0, want)
		})
	}
}

// visit adds a visit half a minute after the event before it.
func (w *world) visit(home event.Node, others ...event.Node) {
	e := w.add(event.Visit, "site", home, others...)
	e.Time, e.Visit = w.next(), &event.VisitData{Origin: origins[w.rnd.IntN(len(origins))]}
}

func (w *world) form(home event.Node) {
	e := w.add(event.Form, "site", home)
	e.Time, e.Form = w.next(), &event.FormData{}
}

func (w *world) next() int64 { return t0 + int64(w.n)*30_000 }

// largeCluster is a cluster that looks at what its transactions write.
type largeCluster struct {
	*cluster
	transactions, record, transaction, steps int
	longest                                  time.Duration
	s                                        *Stitcher
}

// newLargeCluster has the limits of a real one, and all events but the last, in the order told.
func newLargeCluster(w *world) *largeCluster {
	but := *w
	but.events = w.events[:len(w.events)-1]
	c := newClusterOf(&but, 2, 12)
	c.limits = identity.DefaultLimits()
	for _, p := range c.partitions {
		p.limits = c.limits
	}
	return &largeCluster{cluster: c, s: &Stitcher{cfg: DefaultConfig()}}
}

// playLarge lets all partitions work in turn.
func (c *largeCluster) playLarge(t *testing.T) {
	for busy := true; busy; {
		busy = false
		for id := range int32(len(c.partitions)) {
			events := min(500, len(c.events[id]))
			if events == 0 && len(c.inbox(id)) == 0 {
				continue
			}
			busy = true
			began := time.Now()
			for _, raw := range c.events[id][:events] {
				e, err := event.Decode(raw)
				must(err)
				must(c.partitions[id].Event(&e))
			}
			c.events[id] = c.events[id][events:]
			for _, from := range c.inbox(id) {
				c.take(from, id)
			}
			c.look(t, id)
			c.commit(c.partitions[id], c.s.cfg.CacheBytes/len(c.partitions))
			c.longest = max(c.longest, time.Since(began))
			c.transactions++
		}
	}
}

// take hands a few of the messages of a channel over: as many as come with one fetch.
func (c *largeCluster) take(from, to int32) {
	k := [2]int32{from, to}
	for size := 0; len(c.messages[k]) > 0 && size < fetchPartitionBytes/len(c.partitions); {
		m := c.pop(k)
		size += m.size
		must(c.partitions[to].Message(m.Envelope))
		if m.Kind == identity.Step {
			c.steps++
		}
	}
}

// look encodes what the transaction would write.
func (c *largeCluster) look(t *testing.T, id int32) {
	b := &batch{partition: &held{Partition: c.partitions[id]}}
	must(c.s.encode(b))
	size := 0
	for _, r := range b.out {
		size += len(r.Key) + len(r.Value)
		c.record = max(c.record, len(r.Key)+len(r.Value))
	}
	c.transaction = max(c.transaction, size)
	if c.record > recordLimit || c.transaction > transactionLimit {
		t.Fatalf("a record of %d bytes, a transaction of %d", c.record, c.transaction)
	}
}
