// Package numbers decides which visitor is shown which number of a pool. It is pure: no clock, no Kafka, no goroutine.
//
// It promises that at no moment two visitors hold one number, that a visitor who comes back finds the number that was shown
// before as long as nobody else was given it, and that a number is given on only after the time that its holder was promised.
// Where every number is held the answer is none: a number is never taken from a visitor who may still call. Of the numbers that
// are free the one that rested longest is given, so that a late call has the best chance to find its visitor.
package numbers

import (
	"maps"
	"slices"
	"time"

	"github.com/throughline-io/throughline/schemas/event"
)

// Lease is a number that is held by a visitor until a moment (Unix milliseconds).
type Lease struct {
	Number  string
	Visitor event.NodeID
	Until   int64
}

// Pool is the numbers of one pool and who holds them.
type Pool struct {
	numbers []string // as configured
	hold    int64    // ms
	held    map[string]Lease
	shown   map[event.NodeID]string
	// dry are the visitors who found no number, until when each would have held one: what the pool lacks.
	dry map[event.NodeID]int64
}

// maxDry bounds the visitors without a number that are remembered; beyond it the demand that is reported is too small.
const maxDry = 100_000

// slack is how much longer than asked for a number is held, as a part of the hold: a visitor who turns pages quickly need not
// have the lease written down at each of them.
const slack = 10

// New is a pool that nobody holds a number of.
func New(numbers []string, hold time.Duration) *Pool {
	return &Pool{
		numbers: numbers, hold: hold.Milliseconds(), held: map[string]Lease{}, shown: map[event.NodeID]string{}, dry: map[event.NodeID]int64{},
	}
}

// Restore puts a lease back that was given before; the last one of a number stands.
func (p *Pool) Restore(l Lease) {
	if old, ok := p.held[l.Number]; ok && p.shown[old.Visitor] == l.Number {
		delete(p.shown, old.Visitor)
	}
	p.held[l.Number] = l
	p.shown[l.Visitor] = l.Number
}

// Answer is what a visitor is told.
type Answer struct {
	Lease // its Number is empty where all are held
	// New: the lease must be written down before the visitor is told.
	New bool
	// Demand is how many visitors needed a number at this moment, this one included; 0 where the visitor had been counted.
	Demand int
}

// Ask gives a visitor a number, or keeps the one that was given.
func (p *Pool) Ask(visitor event.NodeID, now int64) Answer {
	number, known := p.shown[visitor]
	known = known && slices.Contains(p.numbers, number) // one that was taken out of the configuration is not shown again
	if known && p.held[number].Until-now >= p.hold {
		return Answer{Lease: p.held[number]}
	}
	demand := 0
	if !known || p.held[number].Until <= now {
		demand = p.demand(visitor, now)
	}
	if !known {
		if number = p.free(now); number == "" {
			p.wait(visitor, now)
			return Answer{Demand: demand}
		}
	}
	delete(p.dry, visitor)
	l := Lease{number, visitor, now + p.hold + p.hold/slack}
	p.Restore(l)
	return Answer{l, true, demand}
}

// free is the number that was held by nobody for the longest time.
func (p *Pool) free(now int64) string {
	best, rested := "", now+1
	for _, n := range p.numbers {
		if until := p.held[n].Until; until < rested {
			best, rested = n, until
		}
	}
	return best
}

// wait remembers a visitor without a number.
func (p *Pool) wait(visitor event.NodeID, now int64) {
	if len(p.dry) >= maxDry {
		maps.DeleteFunc(p.dry, func(_ event.NodeID, until int64) bool { return until <= now })
	}
	if len(p.dry) < maxDry {
		p.dry[visitor] = now + p.hold
	}
}

// demand counts who needs a number, the visitor included; 0 for one who found none before and was counted then.
func (p *Pool) demand(visitor event.NodeID, now int64) int {
	if p.dry[visitor] > now {
		return 0
	}
	n := 1
	for _, l := range p.held {
		if l.Until > now && l.Visitor != visitor {
			n++
		}
	}
	for _, until := range p.dry {
		if until > now {
			n++
		}
	}
	return n
}

// Held is how many numbers are held.
func (p *Pool) Held(now int64) int {
	n := 0
	for _, l := range p.held {
		if l.Until > now {
			n++
		}
	}
	return n
}
