package event

import (
	"crypto/sha256"
)

// SpendKey is the id of what a spend event restates (workspace, source, account, date and the five utm values): the key
// and the partition of spend, which has no identities.
func SpendKey(e *Event) NodeID {
	h := sha256.New()
	s := e.Spend
	for _, part := range []string{
		e.Workspace, e.Source, s.Account, s.Date, s.UTM.Source, s.UTM.Medium, s.UTM.Campaign, s.UTM.Content, s.UTM.Term,
	} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return NodeID(h.Sum(nil)[:16])
}
