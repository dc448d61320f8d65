package importer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/throughline-io/throughline/services/internal/kafka"
)

// gate lets as many records through as the stages behind Kafka can take without falling behind by more than a limit.
type gate struct {
	limit int64
	lags  func(context.Context) ([]lag, error)

	mu sync.Mutex
	// sent and answered count records; sent may go up to allowed.
	sent, answered, allowed int64
	more                    chan struct{} // closed when more is allowed
}

// lag is how far a stage is behind, in records, and how many times the limit it may be.
type lag struct {
	stage          string
	records, share int64
}

func newGate(limit int64, lags func(context.Context) ([]lag, error)) *gate {
	return &gate{limit: limit, lags: lags, more: make(chan struct{})}
}

// take waits until n records may be sent. One batch may go beyond what is allowed, so that a large one goes through at all.
func (g *gate) take(ctx context.Context, n int64) error {
	for {
		g.mu.Lock()
		if g.limit == 0 || g.sent < g.allowed {
			g.sent += n
			g.mu.Unlock()
			return nil
		}
		more := g.more
		g.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// answer counts a record that Kafka has answered for.
func (g *gate) answer() {
	g.mu.Lock()
	g.answered++
	g.mu.Unlock()
}

// watch asks the stages until ctx is done. Say is told what is waited for, and an empty text when nothing is.
func (g *gate) watch(ctx context.Context, say func(string)) {
	if g.limit == 0 {
		return
	}
	tick := time.NewTicker(lagEvery)
	defer tick.Stop()
	for {
		say(g.look(ctx))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// look asks the stages once and allows what they have room for. What had not been answered when they were asked may be in no lag yet,
// and counts as waiting. While they cannot be asked nothing more is allowed.
func (g *gate) look(ctx context.Context) (why string) {
	g.mu.Lock()
	surely := g.answered
	g.mu.Unlock()
	lags, err := g.lags(ctx)
	if err != nil {
		return "it cannot be asked how far the stages are behind: " + err.Error()
	}
	room, worst := g.limit, lag{}
	for _, l := range lags {
		if left := g.limit - l.records/l.share; left < room {
			room, worst = left, l
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if room <= 0 || worst.stage != "" && g.sent > 0 && g.sent >= g.allowed {
		why = fmt.Sprintf("the %s is %d records behind", worst.stage, worst.records)
	}
	g.allowed = surely + room
	close(g.more)
	g.more = make(chan struct{})
	return why
}

// lags asks Kafka.
func (im *Importer) lags(ctx context.Context) ([]lag, error) {
	var out []lag
	for _, s := range im.cfg.Stages {
		l := lag{stage: s.Name, share: max(1, s.Share)}
		for _, topic := range s.Topics {
			n, err := kafka.Lag(ctx, im.client, im.cfg.TopicPrefix+s.Group, im.cfg.TopicPrefix+topic)
			if err != nil {
				return nil, err
			}
			l.records += n
		}
		out = append(out, l)
	}
	return out, nil
}
