package e2e

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher"
)

// The mix of a busy site: 85 % visits of visitors old and new, 10 % changes of deals, 5 % that bring a second identifier.
const mixEvents = 400_000

// mix is that many events of a site and its CRM.
func (x *bench) mix(n int) []*event.Event {
	rnd := rand.New(rand.NewPCG(1, 2))
	rules := x.workspaces[0].EventRules()
	start := time.Now().AddDate(0, -1, 0).UnixMilli()
	events := make([]*event.Event, 0, n)
	visitors, deals := 0, 0
	some := func(n int) int { return rnd.IntN(max(1, n)) }
	for i := range n {
		e := &event.Event{Workspace: "bench", ID: fmt.Sprint("e", i), Source: "site", Time: start + int64(i)*5}
		switch k := rnd.IntN(100); {
		case k < 85:
			v := some(visitors)
			if rnd.IntN(2) == 0 {
				v = visitors
				visitors++
			}
			e.Type = event.Visit
			e.Nodes = []event.Node{rules.Node("anonymous_id", fmt.Sprint("v", v))}
			e.Visit = &event.VisitData{URL: "https://shop.example/cars/", Origin: event.Origin{UTM: event.UTM{Source: "google", Medium: "cpc", Campaign: fmt.Sprint("c", rnd.IntN(50))}}}
		case k < 95:
			d := some(deals)
			if rnd.IntN(3) == 0 {
				d = deals
				deals++
			}
			amount := event.Money(fmt.Sprintf("%d.00", rnd.IntN(5000)))
			status := []string{"open", "open", "won", "lost"}[rnd.IntN(4)]
			e.Type, e.Source = event.Deal, "crm"
			e.Nodes = []event.Node{rules.Node("deal", fmt.Sprint("crm/", d))}
			e.Deal = &event.DealData{ID: fmt.Sprint(d), Status: &status, Amount: &amount}
		default:
			v := some(visitors)
			e.Type, e.Form = event.Form, &event.FormData{FormID: "test_drive"}
			e.Nodes = []event.Node{rules.Node("anonymous_id", fmt.Sprint("v", v)), rules.Node("phone", fmt.Sprintf("+4850%07d", v))}
			if rnd.IntN(2) == 0 && deals > 0 {
				e.Nodes = append(e.Nodes, rules.Node("deal", fmt.Sprint("crm/", some(deals))))
			}
		}
		e.Raw = fmt.Appendf(nil, `{"id":%q,"type":%q,"source":%q,"time":"2026-10-01T10:00:00.000Z","identities":{"anonymous_id":"v%d"},"%s":{"url":"https://shop.example/cars/?utm_source=google&utm_medium=cpc"}}`,
			e.ID, e.Type, e.Source, i, e.Type)
		e.Content = xxhash.Sum64(e.Raw)
		events = append(events, e)
	}
	return events
}

// BenchmarkStitcherMix measures a realistic mix, exactly once, on the same two cores as the broker. It is gone through twice, and the second
// time counts: in the first the broker's own code is compiled, which it needs once in the weeks that it runs.
func BenchmarkStitcherMix(b *testing.B) {
	b.Log("cold: ", mixed(b, "mc."))
	b.Log("warm: ", mixed(b, "m."))
}

// mixOn writes so many events of the mix to topics of a prefix.
func mixOn(t testing.TB, prefix string, events int) *bench {
	t.Helper()
	x := topics(t, prefix)
	x = &bench{engines: x.engines, workspaces: x.workspaces, events: x.mix(events)}
	x.fill(t, prefix)
	return x
}

// mixed goes through the mix on topics of a prefix, and says where the time went.
func mixed(b *testing.B, prefix string) string {
	x := mixOn(b, prefix, mixEvents)
	n := float64(len(x.events))
	x.events = nil // a service that has just started holds none of it
	runtime.GC()
	cfg := stitcher.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.TransactionalID = x.engines.Connect(), prefix, "bench-"+prefix
	cfg.StateDir = b.TempDir()
	reg := prometheus.NewRegistry()
	st := stitcher.New(cfg, x.rules(), nil, reg, zap.NewNop())
	b.ResetTimer()
	began, used := time.Now(), cpu()
	stop := x.service(b, st.Run)
	x.drained(b, prefix+cfg.Group, prefix+pipelines.TopicEvents, prefix+pipelines.TopicMessages)
	seconds, used := time.Since(began).Seconds(), cpu()-used
	stop()
	ceiling := x.echo(b, prefix, n)
	b.ReportMetric(n/seconds, "events/s")
	b.ReportMetric(ceiling, "ceiling_events/s")
	b.ReportMetric(n/seconds/ceiling, "of_ceiling")
	b.ReportMetric(used/n*1e6, "cpu_s/million")
	for name, unit := range map[string]string{
		"throughline_stitcher_changelog_bytes_total": "changelog_B/event", "throughline_stitcher_state_disk_bytes": "disk_B/event",
		"throughline_stitcher_state_memory_bytes": "memory_B/event", "throughline_stitcher_changelog_records_total": "changelog/event",
	} {
		b.ReportMetric(metric(b, reg, name)/n, unit)
	}
	return fmt.Sprintf("%.0f events/s, %s", n/seconds, phases(b, reg))
}

// metric is the sum of a metric over its labels.
func metric(b *testing.B, reg *prometheus.Registry, name string) (sum float64) {
	families, err := reg.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// phases tells where the stitcher's time went.
func phases(b *testing.B, reg *prometheus.Registry) string {
	families, err := reg.Gather()
	if err != nil {
		b.Fatal(err)
	}
	var out strings.Builder
	for _, f := range families {
		if f.GetName() == "throughline_stitcher_phase_seconds_total" {
			for _, m := range f.GetMetric() {
				fmt.Fprintf(&out, "%s %.1f s, ", m.GetLabel()[0].GetValue(), m.GetCounter().GetValue())
			}
		}
	}
	fmt.Fprintf(&out, "%.0f transactions", metric(b, reg, "throughline_stitcher_transactions_total"))
	return out.String()
}
