package loader

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestWhatIsLostIsNotLoaded(t *testing.T) {
	var a ahead
	for i := range 6 {
		a.add(item{record: &kgo.Record{Topic: []string{"t", "u"}[i%2], Partition: int32(i / 2), Offset: int64(i), Value: make([]byte, 10)}, letter: &letter{}})
	}
	a.forget(map[string][]int32{"t": {1, 2}, "u": {0}})
	if a.enough(4, 31) {
		t.Error("what was forgotten counts")
	}
	if !a.enough(4, 30) {
		t.Error("what was kept does not count")
	}
	got := ""
	for _, i := range a.take() {
		got += fmt.Sprint(i.record.Topic, i.record.Partition, " ")
	}
	if got != "t0 u1 u2 " {
		t.Errorf("kept is %s", got)
	}
	if !a.empty() {
		t.Error("it is taken and still there")
	}
}

// Loaders come and go while there is more to read than one batch, with the next batch read already: every row stands once.
func TestRebalancesBetweenBatches(t *testing.T) {
	w := newWorld(t, "comings")
	w.cfg.MaxRows = 300
	stop := start(t, w.loader(t, nil))
	for range 4 {
		w.produce(t, 150)
		other := start(t, w.loader(t, nil))
		w.produce(t, 150)
		if err := other(); err != nil {
			t.Error(err)
		}
	}
	w.awaitDrained(t)
	if err := stop(); err != nil {
		t.Error(err)
	}
	w.check(t)
}
