package stitcher

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/throughline-io/throughline/schemas/fact"
)

// sums is all postings added up: what stands. Causes and recording times are left out: they tell the way, not the end.
type sums struct {
	ledger map[ledgerKey][3]int64
	rows   map[any]int32
	causes bool // tell causes apart
}

type ledgerKey struct {
	booking fact.Booking // without its cause type
	touch   fact.Touchpoint
	model   fact.Model
}

func newSums() *sums { return &sums{ledger: map[ledgerKey][3]int64{}, rows: map[any]int32{}} }

func (s *sums) add(p *fact.Posting) {
	for _, c := range p.Credits {
		k := ledgerKey{p.Bookings[c.Booking], p.Touchpoints[c.Touch], c.Model}
		if !s.causes {
			k.booking.CauseType = 0
		}
		v := s.ledger[k]
		s.ledger[k] = [3]int64{v[0] + c.Conversions, v[1] + c.Revenue, v[2] + c.CostOfGoods}
		if s.ledger[k] == ([3]int64{}) {
			delete(s.ledger, k)
		}
	}
	for _, r := range p.Touches {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
	for _, r := range p.Inquiries {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
	for _, r := range p.Deals {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
	for _, r := range p.Stages {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
	for _, r := range p.Identities {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
	for _, r := range p.Calls {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
	for _, r := range p.Conversations {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
	for _, r := range p.Steps {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
	for _, r := range p.Spends {
		sign := r.Sign
		r.Sign = 0
		s.row(r, sign)
	}
}

func (s *sums) row(r any, sign int32) {
	s.rows[r] += sign
	if s.rows[r] == 0 {
		delete(s.rows, r)
	}
}

func (s *sums) equal(t *testing.T, seed uint64, want *sums) {
	t.Helper()
	if d := difference(s.ledger, want.ledger); d != "" {
		t.Fatalf("seed %d: ledger: %s", seed, d)
	}
	if d := difference(s.rows, want.rows); d != "" {
		t.Fatalf("seed %d: rows: %s", seed, d)
	}
}

func difference[K comparable, V comparable](got, want map[K]V) string {
	var out []string
	for k := range want {
		if got[k] != want[k] {
			out = append(out, fmt.Sprintf("\n  %+v\n    got %v, want %v", k, got[k], want[k]))
		}
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			out = append(out, fmt.Sprintf("\n  %+v\n    got %v, want nothing", k, got[k]))
		}
	}
	slices.Sort(out)
	if len(out) > 6 {
		out = append(out[:6], fmt.Sprintf("\n  ... %d more", len(out)-6))
	}
	return fmt.Sprint(out)[1 : len(fmt.Sprint(out))-1]
}

// saleTotals adds up the sales of each model over everything else.
func (s *sums) saleTotals() map[fact.Model][3]int64 {
	out := map[fact.Model][3]int64{}
	for k, v := range s.ledger {
		if k.booking.Conversion == fact.Sale {
			o := out[k.model]
			out[k.model] = [3]int64{o[0] + v[0], o[1] + v[1], o[2] + v[2]}
		}
	}
	maps.DeleteFunc(out, func(_ fact.Model, v [3]int64) bool { return v == [3]int64{} })
	return out
}
