package event

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// Node is the node of a normalised identifier.
func (r *Rules) Node(kind, value string) Node {
	pool := macs(r.Pepper)
	h := pool.Get().(*mac)
	defer pool.Put(h)
	h.Reset()
	h.in = append(append(append(h.in[:0], kind...), 0), value...)
	h.Write(h.in)
	h.out = h.Sum(h.out[:0])
	return Node{Kind: internKind([]byte(kind)), ID: NodeID(h.out[:16])}
}

// mac is an HMAC that has its key already, which is half the work.
type mac struct {
	hash.Hash
	in, out []byte
}

// keyed holds a pool of them for each pepper: there are as many as workspaces.
var keyed sync.Map

func macs(pepper []byte) *sync.Pool {
	key := string(pepper)
	if p, ok := keyed.Load(key); ok {
		return p.(*sync.Pool)
	}
	p, _ := keyed.LoadOrStore(key, &sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, []byte(key))} }})
	return p.(*sync.Pool)
}
