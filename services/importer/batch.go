package importer

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// batch is some items on their way. Batches are mapped on all cores and settled in the order of the file.
type batch struct {
	items  []entry
	weight int
	// mapped is closed once records, tally and samples stand, or err.
	mapped  chan struct{}
	records []*kgo.Record
	tally   Tally
	samples []Sample
	err     error
	// acked is closed once Kafka has answered for every record; failed is the first that it did not take.
	acked  chan struct{}
	left   atomic.Int64
	once   sync.Once
	failed error
}

// entry is an item, or the fault that stands in its place.
type entry struct {
	item  items.Item
	fault error
}

func newBatch() *batch {
	return &batch{mapped: make(chan struct{}), acked: make(chan struct{}), tally: newTally()}
}

func (b *batch) add(e entry) {
	b.items = append(b.items, e)
	b.weight += weigh(e.item.Value)
}

func (b *batch) full() bool { return len(b.items) >= batchItems || b.weight >= batchBytes }

// weigh is about how many bytes a value takes in memory, without the envelope, which items share.
func weigh(v any) int {
	const word = 16
	switch v := v.(type) {
	case string:
		return word + len(v)
	case json.Number:
		return word + len(v)
	case json.RawMessage:
		return word + len(v)
	case []any:
		n := word
		for _, e := range v {
			n += weigh(e)
		}
		return n
	case map[string]any:
		n := word
		for k, e := range v {
			n += 2*word + len(k) + weigh(e)
		}
		return n
	}
	return word
}

// mapItems makes records of the items.
func (b *batch) mapItems(ctx context.Context, w *Way, topics *intake.Topics, received, now time.Time) {
	defer close(b.mapped)
	for _, e := range b.items {
		m, err := w.item(ctx, e.item, e.fault, received, now)
		if err != nil {
			b.err = err
			return
		}
		b.tally.count(&m)
		b.samples = sample(b.samples, e.item.Place, &m)
		if topics == nil { // nothing is sent
			continue
		}
		for i := range m.Events {
			b.records = append(b.records, topics.Event(&m.Events[i]))
		}
		if m.Letter != nil {
			r, err := topics.Letter(m.Letter)
			if err != nil {
				b.err = err
				return
			}
			b.records = append(b.records, r)
		}
	}
	b.items = nil
}

// answer takes Kafka's answer for one record.
func (b *batch) answer(err error) {
	if err != nil {
		b.once.Do(func() { b.failed = err })
	}
	if b.left.Add(-1) == 0 {
		close(b.acked)
	}
}
