package loader

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A broker that has lost some of the group's offsets, or all of them, makes nothing come twice.
func TestOffsetsThatGoBackChangeNothing(t *testing.T) {
	for i, tc := range []struct {
		name  string
		crash string // a step at which the loader ends before the offsets go back
		lose  func(t *testing.T, w *world, before kadm.OffsetResponses)
	}{
		{"all of them, of what is loaded", "", loseGroup},
		{"all of them, after the plan", "planned", loseGroup},
		{"all of them, between the inserts", "inserted credits", loseGroup},
		{"older ones come back, of what is loaded", "", restoreOffsets},
		{"older ones come back, between the inserts", "inserted credits", restoreOffsets},
		{"older ones come back, before the offsets", "loaded", restoreOffsets},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, fmt.Sprintf("behind-%d", i))
			w.cfg.MaxRows = 500
			// The older offsets are those of a plan under way.
			w.produce(t, 60)
			if err := w.loader(t, crashAt("inserted credits", 1)).Run(t.Context()); !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			before, err := kadm.NewClient(w.client).FetchOffsets(t.Context(), w.cfg.topic(w.cfg.Group))
			if err != nil {
				t.Fatal(err)
			}
			w.drain(t)
			w.produce(t, 100)
			w.drain(t)
			w.produce(t, 100)
			if tc.crash == "" {
				w.drain(t)
			} else if err := w.loader(t, crashAt(tc.crash, 1)).Run(t.Context()); !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			tc.lose(t, w, before)
			w.drain(t)
			w.check(t)
			w.produce(t, 40)
			w.drain(t)
			w.check(t)
		})
	}
}

func loseGroup(t *testing.T, w *world, _ kadm.OffsetResponses) {
	t.Helper()
	a, group := kadm.NewClient(w.client), w.cfg.topic(w.cfg.Group)
	eventually(t, "the group is empty and can be deleted", func() bool {
		_, err := a.DeleteGroup(t.Context(), group)
		return err == nil
	})
}

func restoreOffsets(t *testing.T, w *world, before kadm.OffsetResponses) {
	t.Helper()
	a, group := kadm.NewClient(w.client), w.cfg.topic(w.cfg.Group)
	eventually(t, "the group is empty and takes offsets from outside", func() bool {
		return a.CommitAllOffsets(t.Context(), group, before.Offsets()) == nil
	})
}
