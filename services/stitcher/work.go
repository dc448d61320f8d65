package stitcher

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// tally is what a batch adds to the metrics once it has committed.
type tally struct {
	events, messages, postings, credits, changes, changeBytes int
	dead                                                      map[string]int
}

// workOne takes a partition's records and makes the records to write.
func (s *Stitcher) workOne(ctx context.Context, b *batch, now int64) error {
	p := b.partition
	p.At(now)
	p.scratch.reset()
	b.tally.dead = map[string]int{}
	for _, r := range b.events {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.Attrs.IsControl() {
			continue
		}
		e, err := p.decoder.Decode(r.Value) // what is kept of it is copied
		if err != nil {
			err = fmt.Errorf("%w: %w", errUndecodable, err)
		} else {
			err = p.Event(e)
		}
		if err := s.bury(b, r, err); err != nil {
			return err
		}
	}
	for _, r := range b.messages {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.Attrs.IsControl() {
			continue
		}
		m, err := state.ParseMessage(r.Value, &p.decoder)
		if err != nil {
			// Not an event that somebody sent but our own bookkeeping: going on without it would break the promise.
			return fmt.Errorf("message at %s/%d offset %d: %w", r.Topic, r.Partition, r.Offset, err)
		}
		if err := p.Message(m); errors.As(err, new(*UnknownWorkspaceError)) {
			return fmt.Errorf("workspace %q was taken out of the configuration while people of it were on the way between two partitions: put it back, and take it out once `throughline status` shows that all is done", m.Workspace)
		} else if err != nil {
			return err
		}
	}
	b.tally.events, b.tally.messages = len(b.events), len(b.messages)
	if err := s.encode(b); err != nil {
		return err
	}
	return s.consume(b)
}

// errUndecodable is met when a record of the events topic is no event.
var errUndecodable = errors.New("not an event")

// bury sends an event that cannot be handled to the dead letters, with the rest of the transaction.
func (s *Stitcher) bury(b *batch, r *kgo.Record, err error) error {
	if err == nil {
		return nil
	}
	var reason string
	unknown := (*UnknownWorkspaceError)(nil)
	switch {
	case errors.As(err, &unknown):
		reason = "unknown_workspace"
	case errors.Is(err, errUndecodable):
		reason = "undecodable"
	default:
		return err // the state could not be read: that is no fault of the event's
	}
	letter, err := deadLetter(r, reason, err)
	if err != nil {
		return err
	}
	letter.Topic = s.cfg.topic(pipelines.TopicDead)
	b.out = append(b.out, letter)
	b.tally.dead[reason]++
	return nil
}

// scratch is the memory of a partition's records, from one transaction to the next.
type scratch struct {
	arena   state.Arena
	records []kgo.Record
	out     []*kgo.Record
}

// mostRecords is how many records' memory is kept between transactions.
const mostRecords = 20_000

// reset lets the memory be used again: the transaction has ended, whichever way.
func (s *scratch) reset() {
	s.arena.Reset()
	clear(s.records)
	clear(s.out)
	s.records, s.out = s.records[:0], s.out[:0]
	if cap(s.records) > mostRecords {
		*s = scratch{}
	}
}

// add adds a record to be produced.
func (b *batch) add(topic string, partition int32, key, value []byte) {
	s := &b.partition.scratch
	if len(s.records) == cap(s.records) { // those that were handed out stay where they are
		s.records = make([]kgo.Record, 0, max(usualRecords, 2*cap(s.records)))
	}
	s.records = append(s.records, kgo.Record{Topic: topic, Partition: partition, Key: key, Value: value})
	b.out = append(b.out, &s.records[len(s.records)-1])
}

// usualRecords is room for the records of a small transaction.
const usualRecords = 256

// encode makes records of what came of the batch: messages in the order sent, facts, changelog.
func (s *Stitcher) encode(b *batch) error {
	p := b.partition
	out, arena := p.Output(), &p.scratch.arena
	b.out = append(p.scratch.out[:0], b.out...)
	messages, facts, changelog := s.cfg.topic(pipelines.TopicMessages), s.cfg.topic(pipelines.TopicFacts), s.cfg.topic(pipelines.TopicState)
	for i := range out.Messages {
		m := &out.Messages[i]
		b.add(messages, p.home(m.To), m.To[:], arena.Write(func(to []byte) []byte { return state.AppendMessage(to, m) }))
	}
	for _, whole := range out.Postings {
		b.tally.postings++
		b.tally.credits += len(whole.Credits)
		key := arena.Write(func(to []byte) []byte { return append(to, whole.Workspace...) })
		encodePosting(arena, whole, maxRowsAPosting, func(value []byte) { b.add(facts, p.id, key, value) })
	}
	var err error
	if b.changes, err = p.Changes(arena); err != nil {
		return err
	}
	for _, c := range b.changes {
		b.tally.changes++
		b.tally.changeBytes += len(c.Key) + len(c.Value)
		b.add(changelog, p.id, c.Key, c.Value)
	}
	p.scratch.out = b.out
	return nil
}

// encodePosting makes records of a posting, of at most so many rows of a kind and, where they have more than one, of maxFactBytes.
func encodePosting(arena *state.Arena, whole *fact.Posting, rows int, yield func(value []byte)) {
	if whole.Fits(rows) { // as nearly all do
		value := arena.Write(whole.Append)
		if len(value) <= maxFactBytes || rows == 1 {
			yield(value)
			return
		}
		rows = max(1, rows/4)
	}
	for _, part := range fact.Split(whole, rows) {
		encodePosting(arena, part, rows, yield)
	}
}

func (m *metrics) count(t *tally) {
	m.records.WithLabelValues("events").Add(float64(t.events))
	m.records.WithLabelValues("messages").Add(float64(t.messages))
	m.postings.Add(float64(t.postings))
	m.credits.Add(float64(t.credits))
	m.changes.Add(float64(t.changes))
	m.changeBytes.Add(float64(t.changeBytes))
	for reason, n := range t.dead {
		m.dead.WithLabelValues(reason).Add(float64(n))
	}
}
