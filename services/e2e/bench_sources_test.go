package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/checks"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/collector"
)

// hookSample is a sample of a shipped source that becomes events at once.
type hookSample struct {
	name    string
	source  *sources.Source
	request *checks.Request
	key     string
	events  int
}

// hookSamples are the largest such samples of each source, the smallest of them first. Those with a time window are left out: their time
// is over.
func hookSamples(b *testing.B) []hookSample {
	b.Helper()
	var out []hookSample
	for _, s := range sources.Shipped() {
		var largest *hookSample
		list, err := s.Samples()
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range list {
			r, e, err := p.Sent(s)
			if err != nil {
				b.Fatal(err)
			}
			events, err := p.Events()
			if err != nil {
				b.Fatal(err)
			}
			timed := slices.ContainsFunc(e.Checks, func(c checks.Check) bool { return c.Window != nil })
			if e.Kind != sources.Webhook || e.Fetch != nil || timed || len(events) == 0 || r.Method != http.MethodPost || p.Refused != "" || len(p.Settings)+len(p.Tables) > 0 {
				continue
			}
			if largest == nil || len(r.Body) > len(largest.request.Body) {
				largest = &hookSample{s.Name + "/" + p.Name(), s, r, "bench-key-of-" + s.Name, len(events)}
			}
		}
		if largest != nil {
			out = append(out, *largest)
		}
	}
	slices.SortFunc(out, func(a, b hookSample) int { return len(a.request.Body) - len(b.request.Body) })
	if len(out) < 2 {
		b.Fatal("no samples")
	}
	return out
}

// BenchmarkSources measures vendors' requests through check, mapping and Kafka, the largest sample of each shipped source, against
// /v1/events with one event a request, in turns on the same collector. It remembers no event, so that the same request goes all the way
// each time. A request with several events is one request.
func BenchmarkSources(b *testing.B) {
	x := topics(b, "h.").story(b)
	all := hookSamples(b)
	list := slices.Clone(x.workspaces)
	for _, h := range all {
		given := h.source.Examples()
		tables := map[string]map[string]any{}
		for name, t := range given.Tables {
			if table, ok := t.(map[string]any); ok {
				tables[name] = table
			}
		}
		list[0].Sources = append(list[0].Sources, workspace.Source{Name: h.source.Name, Key: h.key, Settings: given.Settings, Tables: tables})
	}
	if err := workspace.Validate(list); err != nil {
		b.Fatal(err)
	}
	set, err := sources.Bind(sources.Shipped(), list)
	if err != nil {
		b.Fatal(err)
	}
	cfg := collector.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.Recent = x.engines.Connect(), "h.", 0
	c := collector.New(cfg, list, prometheus.NewRegistry(), zap.NewNop())
	c.UseSources(set)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	for c.Ready(ctx) != nil {
		runtime.Gosched()
	}
	mux := http.NewServeMux()
	c.Register(mux)
	server := httptest.NewServer(mux)
	defer server.Close()

	event := func(i int) (*http.Request, error) {
		req, err := http.NewRequest(http.MethodPost, server.URL+"/v1/events", bytes.NewReader(x.lines[i%len(x.lines)]))
		if err == nil {
			req.Header.Set("Authorization", "Bearer sk_bench")
		}
		return req, err
	}
	hook := func(h hookSample) func(int) (*http.Request, error) {
		return func(int) (*http.Request, error) {
			address := fmt.Sprintf("%s/v1/sources/%s/%s", server.URL, h.source.Name, h.key)
			if h.request.Query != "" {
				address += "?" + h.request.Query
			}
			req, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(h.request.Body))
			if err == nil {
				req.Header = h.request.Header.Clone()
			}
			return req, err
		}
	}
	kinds := []func(int) (*http.Request, error){event}
	for _, h := range all {
		kinds = append(kinds, hook(h))
	}
	const rounds, requests = 5, 1_000
	rates, used := make([][]float64, len(kinds)), make([]float64, len(kinds))
	for round := range rounds + 1 {
		for k, kind := range kinds {
			before := cpu()
			rate := requestsASecond(b, requests, kind)
			if round > 0 { // the first warms up
				rates[k] = append(rates[k], rate)
				used[k] += (cpu() - before) * 1e6 / requests / rounds
			}
		}
	}
	for k := range rates {
		slices.Sort(rates[k])
	}
	base := rates[0][rounds/2]
	b.ReportMetric(base, "events_requests/s")
	least := math.Inf(1)
	for k, h := range all {
		of := rates[k+1][rounds/2] / base
		least = min(least, of)
		b.Logf("%-40s %5d bytes, %d events: %6.0f requests/s (%.0f to %.0f), %.2f of /v1/events; %.0f us of processor, %.2f times", h.name,
			len(h.request.Body), h.events, rates[k+1][rounds/2], rates[k+1][0], rates[k+1][rounds-1], of, used[k+1], used[k+1]/used[0])
	}
	b.ReportMetric(rates[1][rounds/2]/base, "smallest_of_events")
	b.ReportMetric(rates[len(all)][rounds/2]/base, "largest_of_events")
	b.ReportMetric(least, "slowest_of_events")
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

// requestsASecond sends so many with 32 clients.
func requestsASecond(b *testing.B, n int, make func(int) (*http.Request, error)) float64 {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range 32 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				req, err := make(i)
				if err != nil {
					b.Error(err)
					return
				}
				res, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				text, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if res.StatusCode/100 != 2 {
					b.Errorf("HTTP %d: %s", res.StatusCode, text)
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(n) / time.Since(began).Seconds()
}
