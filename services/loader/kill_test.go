package loader

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// ClickHouse is killed in the middle of batches, and comes back. The same loader goes on by its retries.
func TestClickHouseIsKilledBetweenInserts(t *testing.T) {
	c := realClickHouse(t)
	for i, tc := range []struct {
		name, step string
	}{
		{"at the plan", "planned"},
		{"after the raw events", "inserted events_log"},
		{"after the ledger", "inserted credits"},
		{"after the last table", "inserted"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fmt.Sprintf("kill-%d", i))
			w.cfg.MaxRows = 2000
			w.produce(t, 300)
			var times atomic.Int64
			stop := start(t, w.loader(t, func(step string) error {
				if step == tc.step && times.Add(1) <= 2 {
					return syscall.Kill(c.PID(), syscall.SIGKILL)
				}
				return nil
			}))
			w.awaitDrained(t)
			if err := stop(); err != nil {
				t.Error(err)
			}
			if times.Load() == 0 {
				t.Error("it was never killed")
			}
			awaitClickHouse(t) // a kill after the last insert of all is nothing that the loader waits for
			w.check(t)
		})
	}
}

// The kills come when they come: in the middle of inserts.
func TestClickHouseIsKilledAtAnyTime(t *testing.T) {
	c := realClickHouse(t)
	w := newWorld(t, "kill-any")
	w.cfg.MaxRows = 500 // so that inserts never stop
	stop := start(t, w.loader(t, nil))
	for i := range 4 {
		w.produce(t, 200)
		select {
		case <-t.Context().Done():
		case <-time.After(time.Duration(20+37*i) * time.Millisecond): // as far into the inserts as this
		}
		if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		awaitClickHouse(t)
	}
	w.awaitDrained(t)
	if err := stop(); err != nil {
		t.Error(err)
	}
	w.check(t)
}

func awaitClickHouse(t *testing.T) {
	t.Helper()
	eventually(t, "ClickHouse answers again", func() bool {
		_, err := askAs(t, "throughline_bi", "", "SELECT 1")
		return err == nil
	})
}
