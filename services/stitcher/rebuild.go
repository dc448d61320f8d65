package stitcher

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/identity"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

// rebuild posts what a changed configuration changes: facts by the new rules − facts by the old ones, for every person
// and every spend key. Without it the next change of a journey would take back what was never posted.
func (s *space) rebuild(old *journey.Rules) {
	sum := sha256.Sum256(s.rules.Config)
	why := journey.Change{Cause: "config/" + hex.EncodeToString(sum[:6]), Type: fact.CauseRebuild}
	now := s.rules
	s.machine.Persons(func(person identity.ID, members []identity.ID, j identity.Journey) {
		s.rules = Rules{Rules: old}
		before := s.Facts(person, members, j)
		s.rules = now
		s.post(why, []*journey.Facts{before}, []*journey.Facts{s.Facts(person, members, j)})
		for _, e := range j {
			s.Stored(e) // a number that is new in a pool hears of its calls; what it has heard it knows
		}
	})
	for _, e := range s.spends {
		before, after := journey.SpendRow(e, -1, old), journey.SpendRow(e, -1, now.Rules)
		if before != after {
			after.Sign = 1
			p := s.posting(why.Cause)
			p.Spends = []fact.SpendRow{before, after}
			s.emit(p)
		}
	}
	s.machine.Rematch(why.Cause)
	s.wrote = true
}
