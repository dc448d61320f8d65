// Package state is what of the stitcher survives a restart: the records of the compacted changelog and how they
// become people again.
//
// A record is written in the same transaction as the postings that follow from it, so a restored partition stands
// just where its committed offsets stand: nothing is lost and nothing is applied twice. Records are in protobuf's wire
// format, which lets fields be added; they are private to the stitcher. An entry stands under its home node, not
// under its owner, so that a person that moves within a partition rewrites no entry.
package state

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// Kind is the first byte of a key. Values are stored: never renumber.
type Kind byte

// Kinds of record.
const (
	kindNode   Kind = 'n'
	kindEntry  Kind = 'e'
	kindLease  Kind = 'l'
	kindCall   Kind = 'c'
	kindSpend  Kind = 's'
	kindConfig Kind = 'r'
)

// Record is one record of the changelog. A nil Value takes the key back.
type Record struct{ Key, Value []byte }

// ErrRecord marks a record that cannot be read: the changelog is damaged or from a newer version.
var ErrRecord = errors.New("unreadable state record")

// key is kind, workspace, 0, id, rest. A workspace's name holds no 0.
func key(k Kind, workspace string, id identity.ID, rest string) []byte {
	b := make([]byte, 0, 2+len(workspace)+len(id)+len(rest))
	b = append(b, byte(k))
	b = append(b, workspace...)
	b = append(b, 0)
	b = append(b, id[:]...)
	return append(b, rest...)
}

func splitKey(b []byte) (k Kind, workspace string, id identity.ID, rest string, err error) {
	if len(b) > 0 {
		if end := bytes.IndexByte(b[1:], 0); end >= 0 && len(b) >= 2+end+len(id) {
			tail := b[2+end:]
			return Kind(b[0]), string(b[1 : 1+end]), identity.ID(tail[:len(id)]), string(tail[len(id):]), nil
		}
	}
	return 0, "", id, "", fmt.Errorf("%w: key %x", ErrRecord, b)
}

// Node is the record of a node; not ok means that its absence says as much.
func Node(workspace string, id identity.ID, r identity.Record, ok bool) Record {
	rec := Record{Key: key(kindNode, workspace, id, "")}
	if ok {
		rec.Value = appendNode(nil, r)
	}
	return rec
}

// Entry is the record of an entry; nil means that it left the partition.
func Entry(workspace string, ref identity.EntryRef, e *identity.Entry) Record {
	rec := Record{Key: key(kindEntry, workspace, ref.Home, ref.Key)}
	if e != nil {
		rec.Value = AppendEntry(nil, e)
	}
	return rec
}

// Lease is the record of a lease of a number.
func Lease(workspace string, ref identity.EntryRef, l *identity.Lease) Record {
	return Record{key(kindLease, workspace, ref.Home, ref.Key), AppendLease(nil, l)}
}

// Call is the record of a call to a number.
func Call(workspace string, ref identity.EntryRef, c *identity.Call) Record {
	return Record{key(kindCall, workspace, ref.Home, ref.Key), AppendCall(nil, c)}
}

// Spend is the record of the event that stands for a spend key.
func Spend(workspace string, id event.NodeID, e *event.Event) Record {
	return Record{key(kindSpend, workspace, id, ""), e.Append(nil)}
}

// Config is the record of the configuration that a workspace's facts were computed by.
func Config(workspace string, config []byte) Record {
	return Record{key(kindConfig, workspace, identity.ID{}, ""), config}
}
