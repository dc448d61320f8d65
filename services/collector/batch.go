package collector

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
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
	dropped   event.Dropped
	fault     error
}

// publicTypes are what a browser's key may send.
var publicTypes = map[event.Type]bool{event.Visit: true, event.Form: true, event.Identify: true}

func (c *Collector) read(key workspace.FoundKey, items []json.RawMessage) *batch {
	b := &batch{workspace: key.Workspace.Name, answer: answer{Rejected: []rejected{}}, types: map[event.Type]int{}, dropped: event.Dropped{}}
	rules, now := c.rules[b.workspace], c.now()
	inRequest := map[seen]bool{}
	for i, item := range items {
		e, dropped, bad := event.Parse(item, rules, now, event.Options{AssignID: key.Public, MaxAhead: c.cfg.MaxAhead})
		for reason, n := range dropped {
			b.dropped[reason] += n
		}
		if bad == nil && key.Public && !publicTypes[e.Type] {
			bad = &event.Error{Code: event.BadType, Field: "type", Message: "a public key may send visit, form and identify only"}
		}
		if bad != nil {
			b.answer.Rejected = append(b.answer.Rejected, rejected{i, bad.Code, bad.Error()})
			b.bury(c, key, i, item, bad, now)
			continue
		}
		s := seen{xxhash.Sum64String(e.Workspace + "\x00" + e.Key()), e.Content}
		if inRequest[s] || c.recent.has(s) {
			b.answer.Duplicates++
			continue
		}
		inRequest[s] = true
		b.seen = append(b.seen, s)
		b.records = append(b.records, c.record(&e))
		b.types[e.Type]++
		b.answer.Accepted++
	}
	return b
}

// record is an event's record: its home decides the partition, so that all of a person's events of one home come in
// order.
func (c *Collector) record(e *event.Event) *kgo.Record {
	var home event.NodeID
	if e.Type == event.Spend {
		home = event.SpendKey(e)
	} else {
		home = e.Nodes[0].ID
	}
	return &kgo.Record{
		Topic: c.cfg.topic(pipelines.TopicEvents), Partition: pipelines.Partition(home, c.partitions.Load()), Key: home[:], Value: e.Append(nil),
	}
}

// bury adds the dead letter of a rejected item.
func (b *batch) bury(c *Collector, key workspace.FoundKey, i int, item []byte, bad *event.Error, now time.Time) {
	l := &deadletter.Letter{
		Workspace: b.workspace, Key: key.Name, Code: string(bad.Code), Field: bad.Field, Message: bad.Message,
		ReceivedAt: now.UTC().Format(time.RFC3339Nano), Index: i,
	}
	if key.Workspace.StoreContacts {
		l.Body = string(item)
	} else if err := l.Seal([]byte(key.Workspace.Pepper), item); err != nil {
		b.fault = err
		return
	}
	value, err := l.Encode()
	if err != nil {
		b.fault = err
		return
	}
	partition := int32(xxhash.Sum64String(b.workspace) % uint64(c.partitions.Load()))
	b.records = append(b.records, &kgo.Record{Topic: c.cfg.topic(pipelines.TopicDead), Partition: partition, Key: []byte(b.workspace), Value: value})
}

// produce hands records to Kafka and waits until it has all of them. Any failure is the request's: what got through is a
// duplicate when it is sent again.
func (c *Collector) produce(ctx context.Context, client *kgo.Client, records []*kgo.Record) error {
	start := time.Now()
	results := make(chan error, len(records))
	for _, r := range records {
		// Not the request's context: a sender that goes away must not fail the batches of others.
		client.TryProduce(context.WithoutCancel(ctx), r, func(_ *kgo.Record, err error) { results <- err })
	}
	var all error
	for range records {
		if err := <-results; err != nil && !errors.Is(all, err) {
			all = errors.Join(all, err)
		}
	}
	c.metrics.produce.Observe(time.Since(start).Seconds())
	return all
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
	c.metrics.duplicates.Add(float64(b.answer.Duplicates))
}
