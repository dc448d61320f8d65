package state

import (
	"fmt"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// Space is all that a partition holds of one workspace.
type Space struct {
	*identity.Snapshot
	Spends map[event.NodeID]*event.Event
	Config []byte
}

// Restorer collects a changelog's records, in order; later ones replace earlier ones.
type Restorer struct{ Spaces map[string]*Space }

// NewRestorer makes an empty one.
func NewRestorer() *Restorer { return &Restorer{map[string]*Space{}} }

// Add takes one record.
func (r *Restorer) Add(k, value []byte) error {
	kind, workspace, id, rest, err := splitKey(k)
	if err != nil {
		return err
	}
	s := r.Spaces[workspace]
	if s == nil {
		s = &Space{Snapshot: identity.NewSnapshot(), Spends: map[event.NodeID]*event.Event{}}
		r.Spaces[workspace] = s
	}
	if err := s.add(kind, id, rest, value); err != nil {
		return fmt.Errorf("%w: key %q: %w", ErrRecord, k, err)
	}
	return nil
}

func (s *Space) add(kind Kind, id identity.ID, rest string, value []byte) (err error) {
	ref := identity.EntryRef{Home: id, Key: rest}
	switch kind {
	case kindNode:
		err = set(s.Nodes, id, value, parseNode)
	case kindEntry:
		err = set(s.Entries, ref, value, ParseEntry)
	case kindLease:
		err = set(s.Leases, ref, value, ParseLease)
	case kindCall:
		err = set(s.Calls, ref, value, ParseCall)
	case kindSpend:
		err = set(s.Spends, id, value, parseEvent)
	case kindConfig:
		s.Config = value
	default:
		err = fmt.Errorf("kind %q is not known to this version", byte(kind))
	}
	return err
}

func set[K comparable, V any](m map[K]V, k K, value []byte, parse func([]byte) (V, error)) error {
	if value == nil {
		delete(m, k)
		return nil
	}
	v, err := parse(value)
	if err != nil {
		return err
	}
	m[k] = v
	return nil
}
