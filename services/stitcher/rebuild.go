package stitcher

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/identity"
	"github.com/throughline-io/throughline/services/stitcher/journey"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// Rebuild looks whether the committed facts were computed by another configuration. Where they were, what the new one
// changes is in Output and Changes afterwards; read makes rules of the former. Without it the next change of a journey would take
// back what was never posted. Absent are workspaces that have something here and no rules any more: all of theirs stands as it is, and
// once they are back, it is as if their configuration had changed at that moment.
func (p *Partition) Rebuild(read func(config []byte) (*journey.Rules, error)) (absent []string, err error) {
	workspaces, err := p.store.Workspaces()
	if err != nil {
		return nil, err
	}
	for _, w := range workspaces {
		if _, ok := p.rules[w]; !ok {
			absent = append(absent, w)
			continue
		}
		s, err := p.space(w)
		if err != nil {
			return nil, err
		}
		config, err := s.stands()
		if err != nil {
			return nil, err
		}
		if config == nil || bytes.Equal(config, s.rules.Config) {
			continue
		}
		old, err := read(config)
		if err != nil {
			return nil, fmt.Errorf("workspace %q: read the configuration its facts were computed by: %w", w, err)
		}
		if err := s.rebuild(old); err != nil {
			return nil, fmt.Errorf("workspace %q: rebuild: %w", w, err)
		}
	}
	return absent, p.drain()
}

// errUnderWay is met when the configuration changes while a large person is being moved: part of it is posted by the former one.
var errUnderWay = errors.New("a large person is being moved: start with the former configuration until `throughline status` shows that all is done, then change it")

// rebuild posts facts by the new rules − facts by the old ones, for every person and every spend key.
func (s *space) rebuild(old *journey.Rules) error {
	sum := sha256.Sum256(s.rules.Config)
	why := journey.Change{Cause: "config/" + hex.EncodeToString(sum[:6]), Type: fact.CauseRebuild}
	s.wrote = true
	formerly := people{s, old}
	view := s.p.store.Another()
	err := view.Space(s.workspace).Each(func(id identity.ID, has func(state.Kind) bool) error {
		switch {
		case has(state.KindTask), has(state.KindStaged):
			return fmt.Errorf("%w (identifier %x)", errUnderWay, id)
		case has(state.KindSpend):
			return s.respend(id, why, old)
		case has(state.KindLease), has(state.KindCall):
			return s.machine.Rematch(id, why.Cause)
		case s.p.home(id) != s.p.id || has(state.KindAway): // no owner: its entries belong to one that is met as well
			return nil
		}
		return s.machine.Person(id, func(now *journey.Index, entries []*identity.Entry) {
			then := formerly.NewPerson(id)
			for _, e := range entries {
				formerly.Load(then, e)
			}
			p := s.posting(why.Cause)
			journey.Diff(p, []*journey.Facts{then.Facts()}, []*journey.Facts{now.Facts()}, why)
			s.emit(p)
			for _, e := range entries {
				s.stored(e) // a number that is new in a pool hears of its calls; what it has heard it knows
			}
		})
	})
	if closing := view.Refresh(); err == nil {
		err = closing
	}
	return err
}

func (s *space) respend(id event.NodeID, why journey.Change, old *journey.Rules) error {
	e, err := s.store.Spend(id)
	if err != nil || e == nil {
		return err
	}
	before, after := journey.SpendRow(e, -1, old), journey.SpendRow(e, -1, s.rules.Rules)
	if before != after {
		after.Sign = 1
		p := s.posting(why.Cause)
		p.Spends = []fact.SpendRow{before, after}
		s.emit(p)
	}
	return nil
}
