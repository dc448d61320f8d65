package puller

import (
	"fmt"
	"strings"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
)

// When a pull is due and which days it asks for: values in, values out.

// dayForm is a day in $window and in the state.
const dayForm = "2006-01-02"

// Limits of the schedule.
const (
	// firstRetry is the pause after a pull that failed; each is twice the one before, up to lastRetry or the pull's own `every`.
	firstRetry = time.Minute
	lastRetry  = time.Hour
	// maxCatchUp is how many days back a pull reaches by itself, after a long time in which it did not succeed.
	maxCatchUp = sources.MaxDays
	// MaxBackfillDays is how far back somebody may ask for by hand.
	MaxBackfillDays = 3660
)

// nextTime is when a pull is to run again, given how it went so far.
func nextTime(p *Pull, every time.Duration) time.Time {
	switch {
	case p.Failures > 0:
		pause := min(lastRetry, every)
		if shift := p.Failures - 1; shift < 10 {
			pause = min(pause, firstRetry<<shift)
		}
		if at := p.Tried.Add(pause); at.After(p.NotBefore) {
			return at
		}
		return p.NotBefore
	case p.Run != nil, p.Began.IsZero(): // interrupted, or never run
		return time.Time{}
	default:
		return p.Began.Add(every)
	}
}

// span is the days from and to, both included.
type span struct{ from, to time.Time }

// windowZone is the zone that a window's days are in.
func windowZone(i *sources.Instance, w *sources.Window) (*time.Location, error) {
	name := w.Zone
	if setting, ok := strings.CutPrefix(name, "setting:"); ok {
		name = i.Setting(setting)
	}
	if name == "" {
		return i.Workspace.Location(), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("window.zone: %q is no zone", name)
	}
	return zone, nil
}

// lastDay is the last day that is asked for.
func lastDay(w *sources.Window, now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if w.Today {
		return today
	}
	return today.AddDate(0, 0, -1)
}

// firstDay is the first: the window's, or earlier where less has been pulled so far (through, or none) or where somebody asks for more
// (since). Nothing in between is left out.
func firstDay(w *sources.Window, last time.Time, through, since string) time.Time {
	days := w.Days - 1
	if !w.Today {
		days-- // the window is counted from today
	}
	first := last.AddDate(0, 0, -max(0, days))
	if day, err := time.Parse(dayForm, through); err == nil {
		first = earlier(first, later(day.AddDate(0, 0, 1), last.AddDate(0, 0, -maxCatchUp)))
	}
	if day, err := time.Parse(dayForm, since); err == nil {
		first = earlier(first, later(day, last.AddDate(0, 0, -MaxBackfillDays)))
	}
	return first
}

// chunks cuts days into parts that one request may ask for.
func chunks(from, to time.Time, days int) (out []span) {
	for at := from; !at.After(to); at = at.AddDate(0, 0, days) {
		out = append(out, span{at, earlier(to, at.AddDate(0, 0, days-1))})
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// value is $window.
func (s span) value() map[string]any {
	return map[string]any{"from": s.from.Format(dayForm), "to": s.to.Format(dayForm)}
}
