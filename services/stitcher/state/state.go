// Package state is what of the stitcher survives a restart: the records of the compacted changelog, and the store on
// local disk that holds them as they stood at some offset of it.
//
// A record is written in the same transaction as the postings that follow from it, so a changelog read to its end stands just
// where the committed offsets stand: nothing is lost and nothing is applied twice. The store is a cache of the changelog. It
// may be behind, after a crash by as much as was not flushed, and is never ahead, nor half of a transaction: records and
// the offset that follows them become its own together. It may be thrown away at any time.
//
// Records are in protobuf's wire format, which lets fields be added; they are private to the stitcher. An entry stands
// under its home node, not under its owner, so that a person that moves within a partition rewrites no entry.
package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// Kind stands behind the id in a key. Values are stored: never renumber. What is needed to find a person stands first.
type Kind byte

// Kinds of record.
const (
	KindStaged  Kind = 'S' // a member that came in a piece, behind whom it came from
	KindTask    Kind = 'T' // what a node does in steps
	KindWaiting Kind = 'W' // a message that waits until the task is done
	KindAway    Kind = 'a' // a node that is no owner: where it went itself
	KindCall    Kind = 'c' // of a number
	KindEntry   Kind = 'e'
	KindLease   Kind = 'l' // of a number
	KindMember  Kind = 'm' // of an owner beside itself
	KindConfig  Kind = 'r' // under the zero id
	KindSpend   Kind = 's' // under the id of the spend key
	KindMoved   Kind = 'v' // where a node sent another
)

// Record is one record of the changelog. A nil Value takes the key back.
type Record struct{ Key, Value []byte }

// ErrRecord marks a record that cannot be read: the changelog is damaged or from another version.
var ErrRecord = errors.New("unreadable state record")

// firstKind stands before all others.
const firstKind = KindStaged

const idBytes = len(identity.ID{})

// Arena is where records are written one behind the other: one piece of memory for all of a transaction. What was written stands until
// Reset. The zero value is ready.
type Arena struct {
	b       []byte
	Records []Record // room for a list of them
}

// Reset lets the memory be used again.
func (a *Arena) Reset() {
	a.b = a.b[:0]
	clear(a.Records)
}

// Write appends by a function of the form of all encoders here, and returns what it appended.
func (a *Arena) Write(encode func([]byte) []byte) []byte {
	start := len(a.b)
	a.b = encode(a.b)
	return a.b[start:len(a.b):len(a.b)]
}

// key is workspace, 0, id, kind, rest: what is known of a node stands together. A workspace's name holds no 0.
func (a *Arena) key(workspace string, id identity.ID, k Kind, rest string) []byte {
	start := len(a.b)
	a.b = append(append(appendPrefix(a.b, workspace, id), byte(k)), rest...)
	return a.b[start:len(a.b):len(a.b)]
}

func appendPrefix(b []byte, workspace string, id identity.ID) []byte {
	return append(append(append(b, workspace...), 0), id[:]...)
}

// parts of a key.
type parts struct {
	workspace []byte
	id        identity.ID
	kind      Kind
	rest      []byte
}

func splitKey(b []byte) (parts, error) {
	end := bytes.IndexByte(b, 0)
	if end <= 0 || len(b) < end+2+idBytes {
		return parts{}, fmt.Errorf("%w: key %x", ErrRecord, b)
	}
	tail := b[end+1:]
	return parts{b[:end], identity.ID(tail[:idBytes]), Kind(tail[idBytes]), tail[idBytes+1:]}, nil
}

// none is a value that says all by being there: an empty one would read as a tombstone.
var none = []byte{1}

// Entry is the record of an entry; nil means that it left the partition.
func (a *Arena) Entry(workspace string, ref identity.EntryRef, e *identity.Entry) Record {
	rec := Record{Key: a.key(workspace, ref.Home, KindEntry, ref.Key)}
	if e != nil {
		rec.Value = a.Write(func(b []byte) []byte { return AppendEntry(b, e) })
	}
	return rec
}

// Member is the record of a member of an owner's person beside itself.
func (a *Arena) Member(workspace string, p identity.Pair, is identity.Membership) Record {
	rec := Record{Key: a.key(workspace, p.A, KindMember, string(p.B[:]))}
	switch {
	case is.Leaves != (identity.ID{}):
		rec.Value = bytes.Clone(is.Leaves[:])
	case is.Here:
		rec.Value = none
	}
	return rec
}

// Task is the record of what a node does in steps; nil means that it has ended.
func (a *Arena) Task(workspace string, id identity.ID, t *identity.Task) Record {
	rec := Record{Key: a.key(workspace, id, KindTask, "")}
	if t != nil {
		rec.Value = AppendTask(nil, t)
	}
	return rec
}

// Staged is the record of a member that came in a piece.
func (a *Arena) Staged(workspace string, s identity.Stage, here bool) Record {
	rec := Record{Key: a.key(workspace, s.Node, KindStaged, string(s.From[:])+string(s.Member[:]))}
	if here {
		rec.Value = none
	}
	return rec
}

// Waiting is the record of a message that waits at a node; nil means that it was handled.
func (a *Arena) Waiting(workspace string, ref identity.WaitRef, m *identity.Message) Record {
	rec := Record{Key: a.key(workspace, ref.Node, KindWaiting, string(binary.BigEndian.AppendUint64(nil, ref.Seq)))}
	if m != nil {
		rec.Value = a.Write(func(b []byte) []byte { return AppendMessage(b, &Envelope{Message: *m}) })
	}
	return rec
}

// Moved is the record of where a node sent another, or went itself; the zero id means that it is back.
func (a *Arena) Moved(workspace string, p identity.Pair, to identity.ID) Record {
	kind, rest := KindMoved, string(p.B[:])
	if p.A == p.B {
		kind, rest = KindAway, ""
	}
	rec := Record{Key: a.key(workspace, p.A, kind, rest)}
	if to != (identity.ID{}) {
		rec.Value = bytes.Clone(to[:])
	}
	return rec
}

// Lease is the record of a lease of a number.
func (a *Arena) Lease(workspace string, ref identity.EntryRef, l *identity.Lease) Record {
	return Record{a.key(workspace, ref.Home, KindLease, ref.Key), AppendLease(nil, l)}
}

// Call is the record of a call to a number.
func (a *Arena) Call(workspace string, ref identity.EntryRef, c *identity.Call) Record {
	return Record{a.key(workspace, ref.Home, KindCall, ref.Key), AppendCall(nil, c)}
}

// Spend is the record of the event that stands for a spend key.
func (a *Arena) Spend(workspace string, id event.NodeID, e *event.Event) Record {
	return Record{a.key(workspace, id, KindSpend, ""), e.Append(nil)}
}

// Config is the record of the configuration that a workspace's facts were computed by.
func (a *Arena) Config(workspace string, config []byte) Record {
	return Record{a.key(workspace, identity.ID{}, KindConfig, ""), config}
}
