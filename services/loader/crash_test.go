package loader

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"
)

var errCrash = errors.New("crash")

// crashAt fails the n-th time (from 1) that a step is reached; everything after it fails too, as in a process that is no more.
func crashAt(step string, n int64) func(string) error {
	var seen atomic.Int64
	var dead atomic.Bool
	return func(s string) error {
		if dead.Load() || (s == step && seen.Add(1) == n) {
			dead.Store(true)
			return errCrash
		}
		return nil
	}
}

func TestCrashAtEveryStep(t *testing.T) {
	for i, tc := range []struct {
		name  string
		steps []string // one life each ends at it
	}{
		{"after the plan", []string{"planned"}},
		{"after the first table", []string{"inserted events_log"}},
		{"after the ledger", []string{"inserted credits"}},
		{"after all tables", []string{"inserted"}},
		{"before the offsets", []string{"loaded"}},
		{"after the offsets", []string{"done"}},
		{"twice after the plan", []string{"planned", "inserted touches_log"}},
		{"while a former life's plan is finished", []string{"inserted spend_log", "inserted calls_log", "inserted"}},
		{"before a finished plan is committed", []string{"loaded", "inserted", "settled"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fmt.Sprintf("crash-%d", i))
			w.produce(t, 200)
			for _, step := range tc.steps {
				if err := w.loader(t, crashAt(step, 1)).Run(t.Context()); !errors.Is(err, errCrash) {
					t.Fatalf("crash at %s: %v", step, err)
				}
			}
			w.drain(t)
			w.check(t)
			w.produce(t, 50)
			w.drain(t)
			w.check(t)
		})
	}
}

// Three loaders come and go while records are written; each ends at a random step.
func TestRandomCrashesAndRebalances(t *testing.T) {
	w := newWorld(t, "random-crashes")
	w.cfg.MaxRows = 400 // so that there are many batches
	random := rand.New(rand.NewPCG(1, 2))
	steps := []string{"planned", "inserted events_log", "inserted credits", "inserted deals_log", "inserted", "loaded", "done"}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	results := make(chan error)
	running := 0
	life := func() {
		l := w.loader(t, crashAt(steps[random.IntN(len(steps))], int64(1+random.IntN(4))))
		running++
		go func() { results <- l.Run(ctx) }()
	}
	for range 3 {
		life()
	}
	for range 30 {
		w.produce(t, 60)
		select {
		case err := <-results:
			running--
			if err == nil {
				t.Error("a loader ended by itself")
			}
			life()
		case <-time.After(200 * time.Millisecond): // none of them has met its step: write more
		}
	}
	// What is left of the three meets one that does not crash, and ends in order: a loader whose partitions never bring it
	// to its step would go on for ever.
	stop := start(t, w.loader(t, nil))
	w.awaitDrained(t)
	w.check(t)
	w.produce(t, 60)
	cancel()
	for ; running > 0; running-- {
		if err := <-results; err != nil && !errors.Is(err, errCrash) {
			t.Errorf("a loader that was to end: %v", err)
		}
	}
	w.awaitDrained(t)
	if err := stop(); err != nil {
		t.Error(err)
	}
	w.check(t)
}
