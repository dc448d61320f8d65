package importer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestGate plays a stage that takes a hundred records a look: never more than the limit waits for it, whatever is not answered yet.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, batch, each = 1000, 50, 100
		var g *gate
		var taken, most int64
		g = newGate(limit, func(context.Context) ([]lag, error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			taken = min(g.answered, taken+each)
			return []lag{{"stitcher", g.answered - taken, 1}}, nil
		})
		ctx, cancel := context.WithCancel(context.Background())
		waited := false
		go g.watch(ctx, func(why string) { waited = waited || why != "" })
		for range 200 {
			if err := g.take(ctx, batch); err != nil {
				t.Fatal(err)
			}
			for range batch {
				g.answer()
			}
			g.mu.Lock()
			most = max(most, g.sent-taken)
			g.mu.Unlock()
		}
		cancel()
		synctest.Wait()
		if most > limit+batch || most < limit/2 || !waited {
			t.Errorf("%d waited at most, the limit is %d; told %t", most, limit, waited)
		}
	})
}

// TestGateOfAStageInLargeBatches lets the loader be behind by its share.
func TestGateOfAStageInLargeBatches(t *testing.T) {
	behind := int64(5000)
	g := newGate(1000, func(context.Context) ([]lag, error) { return []lag{{"loader", behind, 10}}, nil })
	if why := g.look(context.Background()); why != "" || g.allowed != 500 {
		t.Errorf("%q, %d allowed", why, g.allowed)
	}
	behind = 10_000
	if why := g.look(context.Background()); why == "" || g.allowed != 0 {
		t.Errorf("%q, %d allowed", why, g.allowed)
	}
}

// TestGateCannotAsk allows nothing more, and says so.
func TestGateCannotAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1000, func(context.Context) ([]lag, error) { return nil, errors.New("away") })
		if why := g.look(context.Background()); why == "" {
			t.Error("it is not said")
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := g.take(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestNoLimitWaitsForNobody(t *testing.T) {
	g := newGate(0, nil)
	g.watch(context.Background(), nil)
	if err := g.take(context.Background(), 1_000_000); err != nil {
		t.Error(err)
	}
}
