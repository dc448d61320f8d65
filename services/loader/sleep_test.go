package loader

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A loader sleeps between its plan and its inserts. Another one takes its partitions, finishes its plan and goes on; then
// the first awakes.
func TestASleeperChangesNothing(t *testing.T) {
	for _, tc := range []struct{ name, step string }{
		{"before its inserts", "planned"},
		{"between its inserts", "inserted events_log"},
		{"after its inserts", "loaded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, "sleeper-"+strings.ReplaceAll(tc.step, " ", "-"))
			w.cfg.RebalanceTimeout = 2 * time.Second // after which the group goes on without the sleeper
			w.produce(t, 100)
			asleep, awake := make(chan struct{}), make(chan struct{})
			var slept atomic.Bool
			sleeper := make(chan error, 1)
			go func() {
				sleeper <- w.loader(t, func(step string) error {
					if step == tc.step && slept.CompareAndSwap(false, true) {
						close(asleep)
						<-awake
					}
					return nil
				}).Run(t.Context())
			}()
			<-asleep
			stop := start(t, w.loader(t, nil))
			w.awaitDrained(t)
			w.produce(t, 100)
			w.awaitDrained(t)
			w.check(t)
			close(awake)
			if err := <-sleeper; err == nil || errors.Is(err, t.Context().Err()) {
				t.Errorf("the sleeper was not refused: %v", err)
			}
			if !w.drained(t.Context(), t) {
				t.Error("the sleeper moved offsets back")
			}
			w.check(t)
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnOldPlanIsNotInserted(t *testing.T) {
	w := newWorld(t, "old-plan")
	w.produce(t, 20)
	w.cfg.PlanTimeout = time.Nanosecond
	if err := w.loader(t, nil).Run(t.Context()); !errors.Is(err, errStale) {
		t.Fatalf("an old plan: %v", err)
	}
	if got := ask(t, "SELECT count() FROM throughline.credits WHERE workspace = 'old-plan'"); got != "0" {
		t.Errorf("%s rows were inserted", got)
	}
	w.cfg.PlanTimeout = DefaultConfig().PlanTimeout
	w.drain(t)
	w.check(t)
}
