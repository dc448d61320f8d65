package loader

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// item is one record and what it says: an event, a posting, a dead letter, or why it could not be read. A marker of a
// transaction says nothing, and counts only because it takes an offset.
type item struct {
	record  *kgo.Record
	event   *event.Event
	posting *fact.Posting
	letter  *letter
	err     error
}

// decode reads a record, with words that are known.
func (l *Loader) decode(r *kgo.Record, words *event.Words) item {
	i := item{record: r}
	switch {
	case r.Attrs.IsControl():
	case r.Topic == l.cfg.topic(pipelines.TopicEvents):
		e, err := event.Decode(r.Value)
		i.event, i.err = &e, err
	case r.Topic == l.cfg.topic(pipelines.TopicFacts):
		i.posting, i.err = fact.DecodeWith(r.Value, words)
	default:
		i.letter = readLetter(r)
	}
	return i
}

// rows is how many rows come of it.
func (i *item) rows() int {
	switch p := i.posting; {
	case i.err != nil:
		return 0
	case p != nil:
		return len(p.Credits) + len(p.Touches) + len(p.Inquiries) + len(p.Deals) + len(p.Stages) + len(p.Identities) + len(p.Calls) +
			len(p.Spends) + len(p.Conflicts) + len(p.Conversations) + len(p.Steps)
	case i.event != nil || i.letter != nil:
		return 1
	}
	return 0
}

// inOrder sorts items by topic, partition and offset: a batch's rows are a function of its plan.
func inOrder(items []item) {
	slices.SortFunc(items, func(x, y item) int {
		a, b := x.record, y.record
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
}

// within is the items that a plan covers.
func within(items []item, p plan) (out []item) {
	for _, i := range items {
		if p.covers(i.record) {
			out = append(out, i)
		}
	}
	return out
}
