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

const idBytes = len(identity.ID{})

// key is workspace, 0, id, kind, rest: what is known of a node stands together. A workspace's name holds no 0.
func key(workspace string, id identity.ID, k Kind, rest string) []byte {
	return append(append(appendPrefix(make([]byte, 0, len(workspace)+2+idBytes+len(rest)), workspace, id), byte(k)), rest...)
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
func Entry(workspace string, ref identity.EntryRef, e *identity.Entry) Record {
	rec := Record{Key: key(workspace, ref.Home, KindEntry, ref.Key)}
	if e != nil {
		rec.Value = AppendEntry(make([]byte, 0, usualEntry), e)
	}
	return rec
}

// usualEntry is room for most entries.
const usualEntry = 256

// Member is the record of a member of an owner's person beside itself.
func Member(workspace string, p identity.Pair, is identity.Membership) Record {
	rec := Record{Key: key(workspace, p.A, KindMember, string(p.B[:]))}
	switch {
	case is.Leaves != (identity.ID{}):
		rec.Value = bytes.Clone(is.Leaves[:])
	case is.Here:
		rec.Value = none
	}
	return rec
}

// Task is the record of what a node does in steps; nil means that it has ended.
func Task(workspace string, id identity.ID, t *identity.Task) Record {
	rec := Record{Key: key(workspace, id, KindTask, "")}
	if t != nil {
		rec.Value = AppendTask(nil, t)
	}
	return rec
}

// Staged is the record of a member that came in a piece.
func Staged(workspace string, s identity.Stage, here bool) Record {
	rec := Record{Key: key(workspace, s.Node, KindStaged, string(s.From[:])+string(s.Member[:]))}
	if here {
		rec.Value = none
	}
	return rec
}

// Waiting is the record of a message that waits at a node; nil means that it was handled.
func Waiting(workspace string, ref identity.WaitRef, m *identity.Message) Record {
	rec := Record{Key: key(workspace, ref.Node, KindWaiting, string(binary.BigEndian.AppendUint64(nil, ref.Seq)))}
	if m != nil {
		rec.Value = AppendMessage(nil, &Envelope{Message: *m})
	}
	return rec
}

// Moved is the record of where a node sent another, or went itself; the zero id means that it is back.
func Moved(workspace string, p identity.Pair, to identity.ID) Record {
	rec := Record{Key: key(workspace, p.A, KindMoved, string(p.B[:]))}
	if p.A == p.B {
		rec.Key = key(workspace, p.A, KindAway, "")
	}
	if to != (identity.ID{}) {
		rec.Value = bytes.Clone(to[:])
	}
	return rec
}

// Lease is the record of a lease of a number.
func Lease(workspace string, ref identity.EntryRef, l *identity.Lease) Record {
	return Record{key(workspace, ref.Home, KindLease, ref.Key), AppendLease(nil, l)}
}

// Call is the record of a call to a number.
func Call(workspace string, ref identity.EntryRef, c *identity.Call) Record {
	return Record{key(workspace, ref.Home, KindCall, ref.Key), AppendCall(nil, c)}
}

// Spend is the record of the event that stands for a spend key.
func Spend(workspace string, id event.NodeID, e *event.Event) Record {
	return Record{key(workspace, id, KindSpend, ""), e.Append(nil)}
}

// Config is the record of the configuration that a workspace's facts were computed by.
func Config(workspace string, config []byte) Record {
	return Record{key(workspace, identity.ID{}, KindConfig, ""), config}
}
