package stitcher

import (
	"fmt"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/identity"
	"github.com/throughline-io/throughline/services/stitcher/journey"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// Partition is what one partition of the nodes does with an event or a message: values in, values out, no Kafka.
// All that it did since the last Commit can be undone, so that a transaction can be repeated. It is not safe for
// concurrent use; partitions are independent of each other.
type Partition struct {
	id, of   int32
	rules    map[string]Rules
	store    *state.Partition
	maxNodes int
	limits   identity.Limits
	spaces   map[string]*space
	now      int64
	local    []state.Envelope // messages to this partition, handled before the next
	out      Output
	net      netting         // what is to be posted
	free     []*fact.Posting // to be used again
}

// Rules is a workspace's rules with the configuration that they were read from, in a canonical form.
type Rules struct {
	*journey.Rules
	Config []byte
}

// Output is what a transaction has to write beside its offsets.
type Output struct {
	Postings []*fact.Posting
	Messages []state.Envelope
	Large    []LargePerson
}

// LargePerson is a person with more nodes than people have: a shared kiosk, a bot, an identifier that everybody is given.
type LargePerson struct {
	Workspace string
	Person    identity.ID
	Nodes     int
}

// NewPartition makes partition id, one of `of`, over what a store holds of it. Maxnodes is how many nodes a person may have before
// it is told of.
func NewPartition(id, of int32, rules map[string]Rules, store *state.Partition, maxNodes int) *Partition {
	return &Partition{id: id, of: of, rules: rules, store: store, maxNodes: maxNodes, limits: identity.DefaultLimits(), spaces: map[string]*space{}}
}

// UnknownWorkspaceError says that an event is for a workspace that is not configured here.
type UnknownWorkspaceError struct{ Workspace string }

func (e *UnknownWorkspaceError) Error() string {
	return fmt.Sprintf("workspace %q is not in the configuration: put it back and replay its dead letters", e.Workspace)
}

// At sets the time (Unix ms) that postings are recorded at from now on.
func (p *Partition) At(now int64) { p.now = now }

// Event takes an event whose home is on this partition. Raw and what facts do not need is not kept.
func (p *Partition) Event(e *event.Event) error {
	s, err := p.space(e.Workspace)
	if err != nil {
		return err
	}
	if err := s.event(e); err != nil {
		return err
	}
	return p.drain()
}

// Message takes a message that is addressed to a node on this partition.
func (p *Partition) Message(m *state.Envelope) error {
	s, err := p.space(m.Workspace)
	if err != nil {
		return err
	}
	if err := s.machine.Handle(m.Message); err != nil {
		return err
	}
	return p.drain()
}

// drain handles messages that stay on the partition in the same transaction: they are in order, since no other way leads
// from the partition to itself.
func (p *Partition) drain() error {
	for i := 0; i < len(p.local); i++ {
		m := p.local[i]
		p.local[i] = state.Envelope{}
		if err := p.spaces[m.Workspace].machine.Handle(m.Message); err != nil {
			return err
		}
	}
	p.local = p.local[:0]
	return nil
}

func (p *Partition) space(workspace string) (*space, error) {
	if s := p.spaces[workspace]; s != nil {
		return s, nil
	}
	rules, ok := p.rules[workspace]
	if !ok {
		return nil, &UnknownWorkspaceError{workspace}
	}
	s := newSpace(p, workspace, rules)
	p.spaces[workspace] = s
	return s, nil
}

// Output is what has come of everything since the last Commit or Rollback.
func (p *Partition) Output() Output {
	for _, s := range p.spaces {
		s.settleAll()
	}
	out := p.out
	out.Postings = p.net.sum()
	return out
}

// Large is people that have grown large since the last Commit or Rollback.
func (p *Partition) Large() []LargePerson { return p.out.Large }

// Changes are the changelog's records of everything since the last Commit or Rollback, written into an arena: good until it is asked for
// others.
func (p *Partition) Changes(a *state.Arena) (out []state.Record, err error) {
	out = a.Records[:0]
	defer func() { a.Records = out }()
	for _, s := range p.spaces {
		if out, err = s.changes(out, a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Commit makes everything since the last one final: the store has it now. Of what is at hand, about cacheBytes are kept.
func (p *Partition) Commit(cacheBytes int) error {
	for _, s := range p.spaces {
		s.commit(cacheBytes/len(p.spaces), p.now)
	}
	p.clear()
	return p.store.Refresh()
}

// clear forgets the output; what was in it is used again.
func (p *Partition) clear() {
	for _, posting := range p.net.used() {
		p.reuse(posting)
	}
	p.net.reset()
	clear(p.out.Messages)
	p.out = Output{Messages: p.out.Messages[:0]}
}

func (p *Partition) newPosting() *fact.Posting {
	if n := len(p.free); n > 0 {
		posting := p.free[n-1]
		p.free = p.free[:n-1]
		return posting
	}
	return &fact.Posting{}
}

// mostFree is how many postings wait to be used again.
const mostFree = 2_000

func (p *Partition) reuse(posting *fact.Posting) {
	if len(p.free) < mostFree {
		posting.Reset()
		p.free = append(p.free, posting)
	}
}

// Rollback undoes everything since the last Commit.
func (p *Partition) Rollback() {
	for _, s := range p.spaces {
		s.rollback()
	}
	p.local = p.local[:0]
	p.clear()
}

// Bytes is about how much memory what is at hand takes.
func (p *Partition) Bytes() int {
	n := 0
	for _, s := range p.spaces {
		n += s.machine.Bytes()
	}
	return n
}

// Heavy is about how much memory the people take that are slow to read, and when the one was used that has not been for longest.
func (p *Partition) Heavy() (bytes int, oldest int64) {
	for _, s := range p.spaces {
		n, last := s.machine.Heavy()
		if n > 0 && (bytes == 0 || last < oldest) {
			oldest = last
		}
		bytes += n
	}
	return bytes, oldest
}

// Lighten lets go of people that are slow to read and were not used after a moment.
func (p *Partition) Lighten(after int64) {
	for _, s := range p.spaces {
		s.machine.Lighten(after)
	}
}

func (p *Partition) home(id identity.ID) int32 { return pipelines.Partition(id, p.of) }
