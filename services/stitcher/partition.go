package stitcher

import (
	"bytes"
	"fmt"
	"slices"

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
	id, of int32
	rules  map[string]Rules
	spaces map[string]*space
	now    int64
	local  []state.Envelope // messages to this partition, handled before the next
	out    Output
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
}

// NewPartition makes an empty partition, one of `of`.
func NewPartition(id, of int32, rules map[string]Rules) *Partition {
	return &Partition{id: id, of: of, rules: rules, spaces: map[string]*space{}}
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
	if e.Type == event.Spend {
		s.spend(e)
		return nil
	}
	kept := keep(e)
	entry := &identity.Entry{Key: e.Key(), Version: 1, Home: e.Nodes[0].ID, Event: kept}
	for _, n := range e.Nodes[1:] {
		entry.Joins = append(entry.Joins, n.ID)
	}
	s.machine.Handle(identity.Message{Kind: identity.Put, To: entry.Home, Via: entry.Home, Cause: entry.Key, Entry: entry})
	p.drain()
	return nil
}

// Message takes a message that is addressed to a node on this partition.
func (p *Partition) Message(m *state.Envelope) error {
	s, err := p.space(m.Workspace)
	if err != nil {
		return err
	}
	s.machine.Handle(m.Message)
	p.drain()
	return nil
}

// drain handles messages that stay on the partition in the same transaction: they are in order, since no other way leads
// from the partition to itself.
func (p *Partition) drain() {
	for len(p.local) > 0 {
		m := p.local[0]
		p.local = p.local[1:]
		p.spaces[m.Workspace].machine.Handle(m.Message)
	}
	p.local = nil
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
func (p *Partition) Output() Output { return p.out }

// Changes are the changelog's records of everything since the last Commit or Rollback.
func (p *Partition) Changes() []state.Record {
	var out []state.Record
	for _, s := range p.spaces {
		out = s.changes(out)
	}
	return out
}

// Commit makes everything since the last one final.
func (p *Partition) Commit() {
	for _, s := range p.spaces {
		s.commit()
	}
	p.out = Output{}
}

// Rollback undoes everything since the last Commit.
func (p *Partition) Rollback() {
	for _, s := range p.spaces {
		s.rollback()
	}
	p.local, p.out = nil, Output{}
}

// Restore fills an empty partition from its changelog. Where the changelog's facts were computed by another
// configuration, what the new one changes is in Output and Changes afterwards; read makes rules of the former.
func (p *Partition) Restore(r *state.Restorer, read func(config []byte) (*journey.Rules, error)) error {
	for workspace, from := range r.Spaces {
		s, err := p.space(workspace)
		if err != nil {
			return err
		}
		s.machine.Restore(from.Snapshot)
		s.spends, s.config = from.Spends, from.Config
		if from.Config == nil || bytes.Equal(from.Config, s.rules.Config) {
			continue
		}
		old, err := read(from.Config)
		if err != nil {
			return fmt.Errorf("workspace %q: read the configuration its facts were computed by: %w", workspace, err)
		}
		s.rebuild(old)
	}
	p.drain()
	return nil
}

// keep is the part of an event that facts are computed from.
func keep(e *event.Event) *event.Event {
	k := *e
	k.Raw, k.Received = nil, 0
	k.Nodes = slices.Clone(e.Nodes)
	if e.Visit != nil {
		k.Visit = &event.VisitData{Origin: e.Visit.Origin}
	}
	if e.Call != nil {
		c := *e.Call
		c.Recording = ""
		k.Call = &c
	}
	if e.Form != nil {
		k.Form = &event.FormData{}
	}
	return &k
}

func (p *Partition) home(id identity.ID) int32 { return pipelines.Partition(id, p.of) }
