package state

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// recent is what was read or written last of a partition: all records of a node one behind the other, as they stand in the store, in memory
// that the collector of garbage does not look into. Who comes back to a site mostly does so soon, and a look into the store costs more than
// all else that a visit does. What is in it is never older nor newer than what the store holds; where it does not have a node, the store does.
//
// It has two generations, so that what is not used leaves without a list of all.
type recent struct {
	mu         sync.Mutex
	version    uint64 // of the partition: it grows with every batch
	young, old generation
	merged     []byte // room for a node
}

// generation is nodes by where their records stand: in pieces, so that none moves.
type generation struct {
	at     map[identity.ID]uint32
	pieces [][]byte
	used   int // bytes of them
}

const (
	// mostRecent bounds the records of a node that are kept; those of more are read from the store.
	mostRecent = 4 << 10
	// placeBytes is what it takes to find a node, about.
	placeBytes = 40
	pieceBytes = 64 << 10
)

func (g *generation) bytes() int { return g.used + placeBytes*len(g.at) }

func (g *generation) find(workspace string, id identity.ID) (records []byte, ok, other bool) {
	at, ok := g.at[id]
	if !ok {
		return nil, false, false
	}
	whole := g.pieces[at/pieceBytes][at%pieceBytes:]
	n := len(workspace)
	whole = whole[4 : 4+binary.LittleEndian.Uint32(whole)]
	if len(whole) > n && whole[n] == 0 && string(whole[:n]) == workspace {
		return whole[n+1:], true, false
	}
	return nil, false, true
}

func (g *generation) put(workspace string, id identity.ID, records []byte) {
	size := 4 + len(workspace) + 1 + len(records)
	last := len(g.pieces) - 1
	if last < 0 || len(g.pieces[last])+size > pieceBytes {
		g.pieces = append(g.pieces, make([]byte, 0, pieceBytes))
		last++
	}
	b := g.pieces[last]
	g.at[id] = uint32(last*pieceBytes + len(b))
	b = binary.LittleEndian.AppendUint32(b, uint32(size-4))
	b = append(append(b, workspace...), 0)
	g.pieces[last] = append(b, records...)
	g.used += size
}

// find is the records of a node as they were at a version. They stay as they are.
func (r *recent) find(workspace string, id identity.ID, version uint64, limit int) (records []byte, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.version != version {
		return nil, false
	}
	records, young, ok := r.look(workspace, id)
	if ok && !young {
		r.put(workspace, id, records, limit)
	}
	return records, ok
}

// look finds a node, and says whether it is among the young. An id has one place, whatever its workspace: where the young have another
// workspace's node, what the old ones have may be of before that.
func (r *recent) look(workspace string, id identity.ID) (records []byte, young, ok bool) {
	records, ok, other := r.young.find(workspace, id)
	if ok || other {
		return records, true, ok
	}
	records, ok, _ = r.old.find(workspace, id)
	return records, false, ok
}

// keep takes the records of a node as they were read at a version.
func (r *recent) keep(workspace string, id identity.ID, records []byte, version uint64, limit int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.version == version {
		r.put(workspace, id, records, limit)
	}
}

// put puts a node among the young. Where they have become too many, the old ones leave and the young are the old.
func (r *recent) put(workspace string, id identity.ID, records []byte, limit int) {
	if limit == 0 || len(workspace)+len(records) > mostRecent {
		r.drop(id)
		return
	}
	if r.young.bytes() > limit/2 {
		r.old, r.young = r.young, generation{}
	}
	if r.young.at == nil {
		r.young.at = make(map[identity.ID]uint32, len(r.old.at)) // about as many will come
	}
	r.young.put(workspace, id, records)
}

func (r *recent) drop(id identity.ID) {
	delete(r.young.at, id)
	delete(r.old.at, id)
}

func (r *recent) now() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version
}

// reset forgets all.
func (r *recent) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version++
	r.young, r.old = generation{}, generation{}
}

func (r *recent) bytes() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.young.bytes() + r.old.bytes()
}

// change brings a node up to date with records that have been written, sorted by their keys, which differ behind the first so many bytes.
// None says that the store had nothing of it before.
func (r *recent) change(node *written, none bool, limit int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.version++
	if limit == 0 {
		return
	}
	workspace := string(node.workspace())
	old, _, ok := r.look(workspace, node.id)
	if ok || none {
		r.merged = merge(r.merged[:0], old, node.records, len(workspace)+1+idBytes)
		r.put(workspace, node.id, r.merged, limit)
	}
}

// merge appends the records of a node as they are after some were written.
func merge(out, old []byte, written []Record, prefix int) []byte {
	for len(old) > 0 {
		key, value, rest := nextRecord(old)
		for len(written) > 0 && bytes.Compare(written[0].Key[prefix:], key) < 0 {
			out, written = appendWritten(out, written, prefix)
		}
		if len(written) > 0 && bytes.Equal(written[0].Key[prefix:], key) {
			out, written = appendWritten(out, written, prefix)
		} else {
			out = appendRecord(out, key, value)
		}
		old = rest
	}
	for len(written) > 0 {
		out, written = appendWritten(out, written, prefix)
	}
	return out
}

func appendWritten(out []byte, written []Record, prefix int) ([]byte, []Record) {
	if w := written[0]; w.Value != nil {
		out = appendRecord(out, w.Key[prefix:], w.Value)
	}
	return out, written[1:]
}

// appendRecord appends a record: its kind and what stands behind it in the key, and its value.
func appendRecord(b, key, value []byte) []byte {
	b = append(binary.AppendUvarint(b, uint64(len(key))), key...)
	return append(binary.AppendUvarint(b, uint64(len(value))), value...)
}

// nextRecord reads what appendRecord wrote, and what stands behind it.
func nextRecord(b []byte) (key, value, rest []byte) {
	n, size := binary.Uvarint(b)
	b = b[size:]
	key, b = b[:n], b[n:]
	n, size = binary.Uvarint(b)
	b = b[size:]
	return key, b[:n], b[n:]
}
