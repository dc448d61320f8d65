// Package demo makes the story of a company whose right answers are known: a car dealer with seven channels, and the way
// to tell it to a running system.
//
// The story is a function of its seed. It is told in order of arrival, which is not the order of time: some events come late,
// some twice. Totals are counted while a person's life is made up, by other means than the system has, so that they can be
// held against it. A story is made person by person: memory does not grow with its length.
package demo

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// Config says which story to tell.
type Config struct {
	Seed   uint64
	People int
	// End is when the story ends; Days how long it is.
	End  time.Time
	Days int
}

// DefaultConfig is three months of 2,000 people.
func DefaultConfig(end time.Time) Config { return Config{Seed: 1, People: 2000, End: end, Days: 90} }

// minDays is how much time a life in the story needs.
const minDays = 30

// Validate reports every fault.
func (c Config) Validate() error {
	var all []error
	if c.People < 1 {
		all = append(all, fmt.Errorf("demo.people: %d: must be positive", c.People))
	}
	if c.Days < minDays {
		all = append(all, fmt.Errorf("demo.days: %d: must be %d at least", c.Days, minDays))
	}
	if c.End.IsZero() {
		all = append(all, errors.New("demo.end: must be set"))
	}
	return errors.Join(all...)
}

// Totals are the right answers of a story. Money is in minor units.
type Totals struct {
	Events    int // each once
	Visits    int
	Inquiries int // forms, inbound calls, conversations
	Deals     int // that came into being
	Won, Lost int // that stand so at the end
	Revenue   int64
	Cost      int64 // of goods
	Spend     int64
	// VisitsBy and SpendBy are the same by channel, under the names of the default channel rules.
	VisitsBy map[string]int
	SpendBy  map[string]int64
}

// chunk is how many people live side by side: arrival is in order of time within a chunk.
const chunk = 250

// Story is a company's.
type Story struct{ cfg Config }

// New makes a story of a valid configuration.
func New(cfg Config) *Story { return &Story{cfg} }

// Lines are the story's events as JSON, in order of arrival; totals are complete once all were taken.
func (s *Story) Lines(totals *Totals) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		*totals = Totals{VisitsBy: map[string]int{}, SpendBy: map[string]int64{}}
		for from := 0; from < s.cfg.People; from += chunk {
			t := &teller{cfg: s.cfg, totals: totals}
			for person := from; person < min(from+chunk, s.cfg.People); person++ {
				t.rnd = rand.New(rand.NewPCG(s.cfg.Seed, uint64(person)))
				t.life(person)
			}
			if from == 0 {
				t.rnd = rand.New(rand.NewPCG(s.cfg.Seed, 1<<40))
				t.advertising()
			}
			for line := range t.inOrderOfArrival() {
				if !yield(line) {
					return
				}
			}
		}
	}
}
