package workspace

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
)

// Keys finds the key that a sender shows. It is immutable and safe for concurrent use.
type Keys struct {
	hashes [][sha256.Size]byte
	keys   []FoundKey
}

// FoundKey is a key that lets its bearer in.
type FoundKey struct {
	Workspace *Workspace
	Name      string
	// Public marks a browser's key: it may send visits, forms and identifies alone.
	Public bool
	// Report marks a key that reads reports and sends nothing.
	Report bool
	// Origins are the web origins it may be used from.
	Origins []string
}

// NewKeys collects the keys of validated workspaces, which must stay where they are.
func NewKeys(list []Workspace) *Keys {
	k := &Keys{}
	for i := range list {
		w := &list[i]
		for _, key := range w.Keys {
			k.hashes = append(k.hashes, sha256.Sum256([]byte(key.Secret+key.Public+key.Report))) // just one of them is set
			k.keys = append(k.keys, FoundKey{Workspace: w, Name: key.Name, Public: key.Public != "", Report: key.Report != "", Origins: key.Origins})
		}
	}
	return k
}

// Find looks a token up. All keys are compared, each in constant time and as hashes of one length, so that the time it
// takes tells a guesser nothing, neither of a key's beginning nor of its length.
func (k *Keys) Find(token string) (FoundKey, bool) {
	hash := sha256.Sum256([]byte(token))
	found := -1
	for i := range k.hashes {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], k.hashes[i][:]), i, found)
	}
	if found < 0 {
		return FoundKey{}, false
	}
	return k.keys[found], true
}

// Origin reports that a web origin is one of any public key's.
func (k *Keys) Origin(origin string) bool {
	return slices.ContainsFunc(k.keys, func(f FoundKey) bool { return f.Public && slices.Contains(f.Origins, origin) })
}
