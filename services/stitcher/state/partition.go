package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// Partition reads a partition of a store.
type Partition struct {
	store   *Store
	id      int32
	it      *pebble.Iterator // of the store as it was at the first read since Refresh
	decoder event.Decoder
	known   *known
	// of what is at hand, as the iterator was made
	version     uint64
	recentLimit int
	read        []byte // room for a node
}

// Partition is a view of one partition.
func (s *Store) Partition(id int32) *Partition { return &Partition{store: s, id: id} }

// Another is a view of the same partition with a place of its own to read at.
func (p *Partition) Another() *Partition { return &Partition{store: p.store, id: p.id} }

// Refresh lets what was applied meanwhile be seen. It must be called before the store is closed.
func (p *Partition) Refresh() error {
	if p.it == nil {
		return nil
	}
	err := p.it.Close()
	p.it = nil
	return err
}

// bounds are those of a partition's keys.
func bounds(partition int32) *pebble.IterOptions {
	return &pebble.IterOptions{LowerBound: appendPartition(nil, partition), UpperBound: appendPartition(nil, partition+1)}
}

func (p *Partition) iterator() (*pebble.Iterator, error) {
	if p.it == nil {
		if p.known == nil {
			var err error
			if p.known, err = p.store.knownOf(p.id); err != nil {
				return nil, err
			}
		}
		p.store.mu.RLock() // so that what is at hand and what it reads are of one version
		defer p.store.mu.RUnlock()
		it, err := p.store.db.NewIter(bounds(p.id))
		if err != nil {
			return nil, err
		}
		p.it, p.version, p.recentLimit = it, p.known.recent.now(), p.store.recentLimit()
	}
	return p.it, nil
}

// Workspaces are those of which there is anything.
func (p *Partition) Workspaces() ([]string, error) {
	it, err := p.iterator()
	if err != nil {
		return nil, err
	}
	var out []string
	for ok := it.SeekGE(append(appendPartition(nil, p.id), 1)); ok; {
		k := it.Key()[partitionBytes:]
		end := bytes.IndexByte(k, 0)
		if end <= 0 {
			return nil, fmt.Errorf("%w: key %x", ErrRecord, k)
		}
		name := string(k[:end])
		out = append(out, name)
		ok = it.SeekGE(append(appendPartition(nil, p.id), name+"\x01"...))
	}
	return out, it.Error()
}

// Space reads what a partition holds of one workspace.
type Space struct {
	p         *Partition
	workspace string
	key       []byte
}

// Space is a view of one workspace.
func (p *Partition) Space(workspace string) *Space { return &Space{p: p, workspace: workspace} }

// prefix is the key of a node in the store, good until the next call.
func (s *Space) prefix(id identity.ID) []byte {
	s.key = appendPrefix(appendPartition(s.key[:0], s.p.id), s.workspace, id)
	return s.key
}

// node calls do for each record of a node, in the order of their kinds, until it returns false. Value is good during the call only.
func (s *Space) node(id identity.ID, from Kind, do func(k Kind, rest, value []byte) (bool, error)) error {
	it, err := s.p.iterator()
	if err != nil || !s.p.known.seen.may(id) {
		return err
	}
	tell := func(key, value []byte) (bool, error) {
		more, err := do(Kind(key[0]), key[1:], value)
		if err != nil {
			err = fmt.Errorf("%w: node %x of workspace %s, %q: %w", ErrRecord, id, s.workspace, key, err)
		}
		return more, err
	}
	if records, ok := s.p.known.recent.find(s.workspace, id, s.p.version, s.p.recentLimit); ok {
		for len(records) > 0 {
			var key, value []byte
			if key, value, records = nextRecord(records); Kind(key[0]) < from {
				continue
			}
			if more, err := tell(key, value); err != nil || !more {
				return err
			}
		}
		return nil
	}
	k := append(s.prefix(id), byte(from))
	at, read, whole := len(k)-1, s.p.read[:0], from == firstKind
	for ok := it.SeekPrefixGE(k); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		key := it.Key()[at:]
		more, err := tell(key, value)
		if err != nil || !more {
			return err
		}
		if whole = whole && len(read)+len(key)+len(value) <= mostRecent; whole {
			read = appendRecord(read, key, value)
		}
	}
	if s.p.read = read; whole && it.Error() == nil {
		s.p.known.recent.keep(s.workspace, id, read, s.p.version, s.p.recentLimit)
	}
	return it.Error()
}

// Node is the machine's view of a node.
func (s *Space) Node(id identity.ID) (r identity.Record, err error) {
	err = s.node(id, firstKind, func(k Kind, rest, value []byte) (bool, error) {
		switch k {
		case KindAway:
			r.Away = true
			return false, toID(&r.Next, value)
		case KindEntry:
			e, err := ParseEntry(value, &s.p.decoder)
			r.Entries = append(r.Entries, e)
			return true, err
		case KindMember:
			var o identity.Other
			err := toID(&o.ID, rest)
			if err == nil && len(value) == idBytes {
				copy(o.Leaves[:], value)
			}
			r.Others = append(r.Others, o)
			return true, err
		case KindTask, KindWaiting, KindStaged:
			return true, steps(&r, k, rest, value, &s.p.decoder)
		case KindCall, KindLease:
			return true, nil
		case KindConfig, KindSpend, KindMoved:
		}
		return false, nil
	})
	return r, err
}

// steps reads what is there of what a node does in steps.
func steps(r *identity.Record, k Kind, rest, value []byte, d *event.Decoder) (err error) {
	switch {
	case k == KindTask:
		r.Task, err = ParseTask(value, d)
	case k == KindWaiting && len(rest) == 8:
		var m *Envelope
		if m, err = ParseMessage(value, d); err == nil {
			r.Waiting = append(r.Waiting, identity.Waiting{Seq: binary.BigEndian.Uint64(rest), Message: &m.Message})
		}
	case k == KindStaged && len(rest) == 2*idBytes:
		r.Staged = append(r.Staged, identity.Pair{A: identity.ID(rest[:idBytes]), B: identity.ID(rest[idBytes:])})
	default:
		err = fmt.Errorf("%d bytes after its kind", len(rest))
	}
	return err
}

// Entries are those at home at a node.
func (s *Space) Entries(home identity.ID) (out []*identity.Entry, err error) {
	err = s.node(home, KindEntry, func(k Kind, _, value []byte) (bool, error) {
		if k != KindEntry {
			return false, nil
		}
		e, err := ParseEntry(value, &s.p.decoder)
		out = append(out, e)
		return true, err
	})
	return out, err
}

// Moved is where a node sent x.
func (s *Space) Moved(node, x identity.ID) (next identity.ID, ok bool, err error) {
	k := append(append(s.prefix(node), byte(KindMoved)), x[:]...)
	if node == x {
		k = append(s.prefix(node), byte(KindAway))
	}
	v, err := s.p.store.get(k)
	if err != nil || v == nil {
		return next, false, err
	}
	return next, true, toID(&next, v)
}

// Number is what a number's node knows.
func (s *Space) Number(id identity.ID) (leases []*identity.Lease, calls []*identity.Call, err error) {
	err = s.node(id, KindCall, func(k Kind, _, value []byte) (bool, error) {
		switch k {
		case KindCall:
			c, err := ParseCall(value)
			calls = append(calls, c)
			return true, err
		case KindLease:
			l, err := ParseLease(value)
			leases = append(leases, l)
			return true, err
		case KindAway, KindTask, KindWaiting, KindEntry, KindStaged, KindMember, KindConfig, KindSpend, KindMoved:
		}
		return k < KindLease, nil
	})
	return leases, calls, err
}

// Spend is the event that stands for a spend key, nil where there is none.
func (s *Space) Spend(id event.NodeID) (*event.Event, error) {
	v, err := s.p.store.get(append(s.prefix(id), byte(KindSpend)))
	if err != nil || v == nil {
		return nil, err
	}
	return s.p.decoder.Keep(v)
}

// Config is the configuration that the facts were computed by, nil where there is none.
func (s *Space) Config() ([]byte, error) {
	return s.p.store.get(append(s.prefix(identity.ID{}), byte(KindConfig)))
}

// Each calls do for each id of the workspace with the kinds of its records, once each. What do reads of the store it must
// read through another Partition.
func (s *Space) Each(do func(id identity.ID, has func(Kind) bool) error) error {
	it, err := s.p.iterator()
	if err != nil {
		return err
	}
	prefix := append(append(appendPartition(nil, s.p.id), s.workspace...), 0)
	var id identity.ID
	kinds := map[Kind]bool{}
	tell := func() error {
		if len(kinds) == 0 {
			return nil
		}
		defer clear(kinds)
		return do(id, func(k Kind) bool { return kinds[k] })
	}
	for ok := it.SeekGE(prefix); ok && bytes.HasPrefix(it.Key(), prefix); ok = it.Next() {
		p, err := splitKey(it.Key()[partitionBytes:])
		if err != nil {
			return err
		}
		if p.id != id {
			if err := tell(); err != nil {
				return err
			}
			id = p.id
		}
		kinds[p.kind] = true
	}
	return errors.Join(it.Error(), tell())
}

func toID(to *identity.ID, b []byte) error {
	if len(b) != idBytes {
		return fmt.Errorf("%d bytes are no id", len(b))
	}
	copy(to[:], b)
	return nil
}
