package event

import (
	"crypto/sha256"
	"encoding/binary"
)

// SpendKey is the id of what a spend event restates (workspace, source, account, date and the five utm values): the key
// and the partition of spend, which has no identities. Each part stands behind its length, so that no two lists of parts are one.
func SpendKey(e *Event) NodeID {
	s, utm := e.Spend, e.Spend.UTM.Said()
	var b []byte
	for _, part := range []string{
		e.Workspace, e.Source, s.Account, s.Date, utm.Source, utm.Medium, utm.Campaign, utm.Content, utm.Term,
	} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	hash := sha256.Sum256(b)
	return NodeID(hash[:16])
}
