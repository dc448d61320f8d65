package stitcher

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// BenchmarkWork is all that a stitcher does with the events of a busy site but talk to a broker: 85 % visits of visitors old and new,
// 10 % changes of deals, 5 % with a second identifier.
func BenchmarkWork(b *testing.B) {
	const events, of, batchSize = 200_000, 12, 800
	w := &world{rnd: rand.New(rand.NewPCG(1, 2)), rules: testRules(rand.New(rand.NewPCG(1, 1)))}
	w.rules.Lookback, w.rules.MaxTouches = 90*day, 1000
	w.site(events)
	for b.Loop() {
		store, err := state.Open(b.TempDir(), state.DefaultOptions())
		must(err)
		s := &Stitcher{cfg: DefaultConfig(), store: store, partitions: map[int32]*held{}}
		in, box := make([][]*kgo.Record, of), make([][]*kgo.Record, of)
		for _, e := range w.events {
			p := pipelines.Partition(e.Nodes[0].ID, of)
			in[p] = append(in[p], &kgo.Record{Topic: pipelines.TopicEvents, Partition: p, Value: e.Append(nil)})
		}
		for id := range int32(of) {
			s.partitions[id] = &held{Partition: NewPartition(id, of, map[string]Rules{"w": w.rules}, store.Partition(id), 1000)}
		}
		used := cpuSeconds()
		for busy := true; busy; {
			var work []*batch
			for id := range int32(of) {
				n := min(batchSize, len(in[id]))
				if n+len(box[id]) == 0 {
					continue
				}
				work = append(work, &batch{partition: s.partitions[id], events: in[id][:n], messages: box[id]})
				in[id], box[id] = in[id][n:], nil
			}
			for _, one := range work {
				must(s.workOne(b.Context(), one, 1_800_000_000_000))
				for _, r := range one.out {
					if r.Topic == pipelines.TopicMessages {
						box[r.Partition] = append(box[r.Partition], &kgo.Record{Topic: r.Topic, Value: bytes.Clone(r.Value)})
					}
				}
			}
			saved := store.NewBatch(room(work))
			must(fill(saved, work))
			must(s.save(saved, work))
			for _, one := range work {
				must(one.partition.Commit(s.cfg.CacheBytes / of))
			}
			busy = len(work) > 0
		}
		b.ReportMetric((cpuSeconds()-used)/events*1e6, "cpu_µs/event")
		must(store.Close())
	}
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// site adds events of a busy site and its CRM.
func (w *world) site(n int) {
	visitors, deals := 0, 0
	some := func(n int) int { return w.rnd.IntN(max(1, n)) }
	for range n {
		at := t0 + int64(w.n)*5
		var e *event.Event
		switch k := w.rnd.IntN(100); {
		case k < 85:
			v := some(visitors)
			if w.rnd.IntN(2) == 0 {
				v = visitors
				visitors++
			}
			e = w.add(event.Visit, "site", node("anonymous_id", fmt.Sprint(v)))
			e.Visit = &event.VisitData{URL: "https://shop.example/cars/", Origin: event.Origin{UTM: event.UTM{Source: "google", Medium: "cpc", Campaign: fmt.Sprint("c", some(50))}}}
		case k < 95:
			d := some(deals)
			if w.rnd.IntN(3) == 0 {
				d = deals
				deals++
			}
			e = w.add(event.Deal, "crm", node("deal", fmt.Sprint("crm/", d)))
			e.Deal = &event.DealData{ID: fmt.Sprint(d), Status: ptr([]string{"open", "open", "won", "lost"}[some(4)]), Amount: ptr(event.Money(fmt.Sprintf("%d.00", some(5000))))}
		default:
			v := some(visitors)
			others := []event.Node{node("phone", fmt.Sprint(v))}
			if deals > 0 && w.rnd.IntN(2) == 0 {
				others = append(others, node("deal", fmt.Sprint("crm/", some(deals))))
			}
			e = w.add(event.Form, "site", node("anonymous_id", fmt.Sprint(v)), others...)
			e.Form = &event.FormData{FormID: "test_drive"}
		}
		e.Time = at
	}
}
