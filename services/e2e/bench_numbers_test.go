package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/collector"
)

// BenchmarkNumbers has 2,000 visitors at once on a site with a pool of 50 numbers: each asks when the page opens and again at each
// page, one in 5 s, whether the last answer has come or not. It tells how long an answer takes, how many found no number, and checks
// that nobody's live number was given away.
func BenchmarkNumbers(b *testing.B) {
	const visitors, pages, numbers, hold, warming = 2000, 3, 50, time.Minute, 50
	x := topics(b, "n.")
	w := workspace.Workspace{
		Name: "shop", Timezone: "UTC", Currency: "EUR", Country: "PL", Pepper: "pepper",
		Keys: []workspace.Key{{Name: "site", Public: "pk_shop", Origins: []string{"https://shop.example"}}}, Pools: []workspace.Pool{{Name: "site", Hold: hold}},
	}
	for i := range numbers {
		w.Pools[0].Numbers = append(w.Pools[0].Numbers, fmt.Sprintf("+482211100%02d", i))
	}
	warm := workspace.Pool{Name: "warm", Hold: hold} // the broker's first transactions are slow
	for i := range warming {
		warm.Numbers = append(warm.Numbers, fmt.Sprintf("+482211200%02d", i))
	}
	w.Pools = append(w.Pools, warm)
	list := []workspace.Workspace{w}
	if err := workspace.Validate(list); err != nil {
		b.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	url := x.numbers(b, "n.", list, reg)
	for i := range warming {
		if status, _, err := askNumberOf(context.Background(), url, "warm", "https://shop.example", fmt.Sprint("w", i)); err != nil || status != http.StatusOK {
			b.Fatal(status, err)
		}
	}
	type told struct {
		number, visitor string
		took            time.Duration
		err             error
	}
	answers := make(chan told, visitors*pages)
	b.ResetTimer()
	began := time.Now()
	var all sync.WaitGroup
	for v := range visitors {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(v), 1))
			opens := time.Duration(rnd.Int64N(int64(5 * time.Second)))
			for page := range pages {
				<-time.After(time.Until(began.Add(opens + time.Duration(page)*5*time.Second)))
				asked := time.Now()
				status, number, err := askNumber(context.Background(), url, "https://shop.example", fmt.Sprintf("v%d", v))
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("HTTP %d", status)
				}
				answers <- told{number, fmt.Sprintf("v%d", v), time.Since(asked), err}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	close(answers)
	var took []time.Duration
	holders, dry := map[string]string{}, 0
	for a := range answers {
		if a.err != nil {
			b.Fatal(a.err)
		}
		took = append(took, a.took)
		if a.number == "" {
			dry++
			continue
		}
		// All of it takes less than the hold: a number has one holder.
		if other := holders[a.number]; other != "" && other != a.visitor {
			b.Fatalf("%s was told to %s and to %s", a.number, other, a.visitor)
		}
		holders[a.number] = a.visitor
	}
	if len(holders) != numbers {
		b.Fatalf("%d numbers were given out of %d", len(holders), numbers)
	}
	slices.Sort(took)
	at := func(part float64) float64 { return took[int(part*float64(len(took)-1))].Seconds() * 1000 }
	families, err := reg.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "throughline_collector_lease_commit_seconds" {
			h := f.GetMetric()[0].GetHistogram()
			b.ReportMetric(1000*h.GetSampleSum()/float64(h.GetSampleCount()), "commit_ms")
			b.ReportMetric(float64(h.GetSampleCount()), "commits")
		}
	}
	b.ReportMetric(at(0.5), "p50_ms")
	b.ReportMetric(at(0.99), "p99_ms")
	b.ReportMetric(float64(len(took))/time.Since(began).Seconds(), "asks/s")
	b.ReportMetric(float64(dry)/float64(len(took)), "found_none")
}

// numbers runs a collector that gives out numbers, and returns its address once it does.
func (x *bench) numbers(b *testing.B, prefix string, list []workspace.Workspace, reg *prometheus.Registry) string {
	cfg := collector.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix = x.engines.Connect(), prefix
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	cfg.Advertise = func() string { return server.URL }
	c := collector.New(cfg, list, reg, zap.NewNop())
	c.Register(mux)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	for end := time.Now().Add(30 * time.Second); ; <-time.After(10 * time.Millisecond) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/v1/numbers/lease?key=pk_shop", strings.NewReader(`{"pool":"site","anonymous_id":"v0"}`))
		if err != nil {
			b.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
		}
		if err == nil && res.StatusCode == http.StatusOK {
			return server.URL
		}
		if time.Now().After(end) {
			b.Fatal("no numbers are given out")
		}
	}
}
