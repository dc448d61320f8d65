// Package attribution shares a conversion among its touches: the integer arithmetic of SPEC §6.
//
// It is pure: no clock, no configuration, no floating point in what is shared. The parts of an amount always sum to
// the amount, for every model and every sign.
package attribution

import (
	"math"

	"github.com/throughline-io/throughline/schemas/fact"
)

// halfLife is the age in ms at which time_decay halves a touch's weight: 7 days.
const halfLife = 604_800_000

// decayScale is the weight of a touch of age zero under time_decay.
const decayScale = 1e9

// Touch is what a model looks at.
type Touch struct {
	Time   int64 // ms
	Direct bool  // its channel is Direct
}

// Path is the eligible touches of one conversion, sorted, with the two moments that models measure from.
type Path struct {
	Touches []Touch
	// End is the conversion's end time (ms): a touch's age counts back from it.
	End int64
	// Created is the deal's creation (ms), or the inquiry's own time.
	Created int64
}

// Weights appends the integer weight of each touch under a model to dst and returns it. A path has at least one touch.
func Weights(m fact.Model, p Path, dst []uint64) []uint64 {
	n, base := len(p.Touches), len(dst)
	for range n {
		dst = append(dst, 0)
	}
	w := dst[base:]
	switch m {
	case fact.FirstTouch:
		w[0] = 1
	case fact.LastTouch:
		w[n-1] = 1
	case fact.LastNonDirect:
		w[lastNonDirect(p.Touches)] = 1
	case fact.Linear:
		fill(w, 1)
	case fact.TimeDecay:
		for i, t := range p.Touches {
			w[i] = decay(p.End - t.Time)
		}
	case fact.PositionBased:
		positionBased(w)
	case fact.WShaped:
		wShaped(w, p)
	}
	return dst
}

func lastNonDirect(touches []Touch) int {
	for i := len(touches) - 1; i >= 0; i-- {
		if !touches[i].Direct {
			return i
		}
	}
	return len(touches) - 1
}

func fill(w []uint64, v uint64) {
	for i := range w {
		w[i] = v
	}
}

// decay is max(1, round(1e9 · 2^(−age/half-life))).
func decay(age int64) uint64 {
	w := math.Round(decayScale * math.Exp2(-float64(age)/halfLife))
	if w < 1 {
		return 1
	}
	return uint64(w)
}

// positionBased gives 40 % to the first, 40 % to the last and the rest to those between, in whole numbers.
func positionBased(w []uint64) {
	n := len(w)
	fill(w, 1)
	if n > 2 {
		w[0], w[n-1] = 2*uint64(n-2), 2*uint64(n-2)
	}
}

// wShaped gives 90 % to the first touch, the one that made the deal and the last, and 10 % to the others.
func wShaped(w []uint64, p Path) {
	n := len(w)
	lead := 0
	for i := n - 1; i >= 0; i-- {
		if p.Touches[i].Time <= p.Created {
			lead = i
			break
		}
	}
	key := map[int]struct{}{0: {}, lead: {}, n - 1: {}}
	others := n - len(key)
	if others == 0 {
		fill(w, 1)
		return
	}
	fill(w, uint64(len(key)))
	for i := range key {
		w[i] = 9 * uint64(others)
	}
}
