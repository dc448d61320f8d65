package collector

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/event"
)

// batch is what came of a request's items.
type batch struct {
	workspace string
	answer    answer
	records   []*kgo.Record
	types     map[event.Type]int
	seen      []seen
	met       map[seen]bool // in this request
	dropped   event.Dropped
	bots      int
	fault     error
}

// publicTypes are what a browser's key may send.
var publicTypes = map[event.Type]bool{event.Visit: true, event.Form: true, event.Identify: true}

func (c *Collector) read(k *connection, key sender, items [][]byte) *batch {
	b := newBatch(key.Workspace.Name)
	rules, now := c.rules[b.workspace], c.now()
	for i, item := range items {
		e, dropped, bad := event.Parse(item, rules, now, event.Options{AssignID: key.Public, MaxAhead: c.cfg.MaxAhead, Bot: key.bot})
		b.drop(dropped)
		if bad == nil && key.Public && !publicTypes[e.Type] {
			bad = &event.Error{Code: event.BadType, Field: "type", Message: "a public key may send visit, form and identify only"}
		}
		if bad != nil {
			b.answer.Rejected = append(b.answer.Rejected, rejected{i, bad.Code, said(bad)})
			b.bury(k, key.FoundKey, i, item, bad, now)
			continue
		}
		b.accept(c, k, &e)
	}
	return b
}

func newBatch(workspace string) *batch {
	return &batch{workspace: workspace, answer: answer{Rejected: []rejected{}}, types: map[event.Type]int{}, dropped: event.Dropped{}, met: map[seen]bool{}}
}

// accept adds a good event, or counts it as a duplicate.
func (b *batch) accept(c *Collector, k *connection, e *event.Event) {
	s := c.recent.name(e)
	if b.met[s] || c.recent.has(s) {
		b.answer.Duplicates++
		return
	}
	b.met[s] = true
	b.seen = append(b.seen, s)
	b.records = append(b.records, k.topics.Event(e))
	b.types[e.Type]++
	if e.Type == event.Visit && e.Visit.Bot {
		b.bots++
	}
	b.answer.Accepted++
}

// drop counts identifiers that join nobody.
func (b *batch) drop(dropped event.Dropped) {
	for reason, n := range dropped {
		b.dropped[reason] += n
	}
}

// said is what a fault tells a person; the code stands beside it.
func said(bad *event.Error) string {
	if bad.Field == "" {
		return bad.Message
	}
	return bad.Field + ": " + bad.Message
}

// bury adds the dead letter of a rejected item.
func (b *batch) bury(k *connection, key workspace.FoundKey, i int, item []byte, bad *event.Error, now time.Time) {
	l, err := intake.Bury(key.Workspace, key.Name, i, item, bad, now)
	b.letter(k, l, err)
}

// letter adds a dead letter.
func (b *batch) letter(k *connection, l *deadletter.Letter, err error) {
	if err != nil {
		b.fault = err
		return
	}
	r, err := k.topics.Letter(l)
	if err != nil {
		b.fault = err
		return
	}
	b.records = append(b.records, r)
}

// settle counts and remembers what Kafka has now.
func (c *Collector) settle(b *batch) {
	for _, s := range b.seen {
		c.recent.add(s)
	}
	for t, n := range b.types {
		c.metrics.accepted.WithLabelValues(b.workspace, t.String()).Add(float64(n))
	}
	for _, r := range b.answer.Rejected {
		c.metrics.rejected.WithLabelValues(b.workspace, string(r.Code)).Inc()
	}
	for reason, n := range b.dropped {
		c.metrics.dropped.WithLabelValues(b.workspace, string(reason)).Add(float64(n))
	}
	if b.bots > 0 {
		c.metrics.bots.WithLabelValues(b.workspace).Add(float64(b.bots))
	}
	c.metrics.duplicates.WithLabelValues(b.workspace).Add(float64(b.answer.Duplicates))
}
