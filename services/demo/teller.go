package demo

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"
)

// teller collects the events of some people.
type teller struct {
	cfg    Config
	rnd    *rand.Rand
	totals *Totals
	told   []told
}

// told is an event with when it arrives.
type told struct {
	arrives time.Time
	line    []byte
}

// Odds of what makes a story hard: one in so many events.
const (
	lateOdds  = 30
	twiceOdds = 50
)

type fields = map[string]any

// tell adds an event, unless it would come after the story's end: then it is false, and nothing that follows from it may be
// told. Its id is a function of the story, so telling it again is a repetition.
func (t *teller) tell(id, kind, source string, at time.Time, identities, body fields) bool {
	if at.After(t.cfg.End) {
		return false
	}
	e := fields{"id": id, "type": kind, "source": source, "time": at.UTC().Format("2006-01-02T15:04:05.000Z07:00")}
	if identities != nil {
		e["identities"] = identities
	}
	if body != nil {
		e[kind] = body
	}
	line, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings, numbers and maps of them: it cannot fail
	}
	arrives := at
	if t.rnd.IntN(lateOdds) == 0 {
		arrives = at.Add(time.Duration(t.rnd.IntN(14*24)) * time.Hour)
	}
	t.told = append(t.told, told{arrives, line})
	if t.rnd.IntN(twiceOdds) == 0 {
		t.told = append(t.told, told{arrives.Add(time.Duration(t.rnd.IntN(48)) * time.Hour), line})
	}
	t.totals.Events++
	return true
}

func (t *teller) inOrderOfArrival() iter.Seq[[]byte] {
	slices.SortStableFunc(t.told, func(a, b told) int { return cmp.Compare(a.arrives.UnixNano(), b.arrives.UnixNano()) })
	return func(yield func([]byte) bool) {
		for _, e := range t.told {
			if !yield(e.line) {
				return
			}
		}
	}
}

// day is a moment of a day of the story, in business hours.
func (t *teller) day(n int) time.Time {
	return t.cfg.End.AddDate(0, 0, n-t.cfg.Days).Truncate(24 * time.Hour).Add(time.Duration(8*3600+t.rnd.IntN(10*3600)) * time.Second)
}

// money is cents as a sender writes them.
func money(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
