package event

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// Node is the node of a normalised identifier.
func (r *Rules) Node(kind, value string) Node {
	pool := macsOf(r.Pepper)
	h := pool.take()
	defer pool.give(h)
	h.in = append(append(append(h.in[:0], kind...), 0), value...)
	return Node{Kind: internKind([]byte(kind)), ID: h.id()}
}

// mac is an HMAC that has its key already, which is half the work.
type mac struct {
	hash    hash.Hash
	in, out []byte
}

func (m *mac) id() NodeID {
	m.hash.Reset()
	m.hash.Write(m.in)
	m.out = m.hash.Sum(m.out[:0])
	return NodeID(m.out[:len(NodeID{})])
}

// macs are those of one pepper that are not in use.
type macs struct {
	pepper string
	mu     sync.Mutex
	free   []*mac
}

// maxFree bounds what is kept: more than work at once are not needed.
const maxFree = 64

func (p *macs) take() *mac {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		m := p.free[n-1]
		p.free = p.free[:n-1]
		return m
	}
	return &mac{hash: hmac.New(sha256.New, []byte(p.pepper))}
}

func (p *macs) give(m *mac) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) < maxFree {
		p.free = append(p.free, m)
	}
}

// byPepper holds one for each pepper: there are as many as workspaces.
var byPepper struct {
	sync.RWMutex
	all map[string]*macs
}

func macsOf(pepper []byte) *macs {
	byPepper.RLock()
	p := byPepper.all[string(pepper)]
	byPepper.RUnlock()
	if p != nil {
		return p
	}
	byPepper.Lock()
	defer byPepper.Unlock()
	if p = byPepper.all[string(pepper)]; p == nil {
		if byPepper.all == nil {
			byPepper.all = map[string]*macs{}
		}
		p = &macs{pepper: string(pepper)}
		byPepper.all[p.pepper] = p
	}
	return p
}
