package importer

import (
	"context"
	"fmt"
	"io"
	"time"
)

// How often people are told how far it is: a line of a terminal is drawn again, a log gets another line.
const (
	redrawEvery = 200 * time.Millisecond
	lineEvery   = 2 * time.Second
	// rateOver is the time that a rate is of.
	rateOver = 5 * time.Second
)

// Show tells how far an import is until ctx is done.
func (im *Importer) Show(ctx context.Context, w io.Writer, terminal bool) {
	every := lineEvery
	if terminal {
		every = redrawEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	rate := &meter{}
	rate.add(im.now(), 0)
	for {
		select {
		case <-ctx.Done():
			if terminal {
				fmt.Fprint(w, "\r\x1b[K")
			}
			return
		case <-tick.C:
		}
		s, waits := im.State()
		text := s.line(rate.add(im.now(), s.Run), waits)
		if terminal {
			fmt.Fprintf(w, "\r\x1b[K%s", text)
		} else {
			fmt.Fprintln(w, text)
		}
	}
}

// line is a state in one line.
func (s *State) line(rate float64, waits string) string {
	text := s.File + ":"
	if s.Files > 1 {
		text = fmt.Sprintf("[%d/%d] %s", s.Index+1, s.Files, text)
	}
	if s.Size > 0 {
		text += fmt.Sprintf(" %d %%", min(100, 100*s.Read/s.Size))
	}
	text += fmt.Sprintf(" %s items, %s rejected, %s a second", number(s.Items), number(s.Rejected), number(int64(rate)))
	if waits != "" {
		text += "; waiting: " + waits
	}
	return text
}

// meter is a rate over the last seconds.
type meter struct {
	at []time.Time
	n  []int64
}

func (m *meter) add(now time.Time, n int64) float64 {
	m.at, m.n = append(m.at, now), append(m.n, n)
	for len(m.at) > 2 && now.Sub(m.at[1]) >= rateOver {
		m.at, m.n = m.at[1:], m.n[1:]
	}
	seconds := now.Sub(m.at[0]).Seconds()
	if seconds <= 0 {
		return 0
	}
	return float64(n-m.n[0]) / seconds
}
