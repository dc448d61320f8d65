package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/services/loader"
	"github.com/throughline-io/throughline/services/process"
	"github.com/throughline-io/throughline/services/stitcher"
)

// The load that freshness is measured under: a request every 2 ms whether the last was answered or not, so that a system that falls
// behind shows it. One in fifty requests has a visit whose campaign nobody else has.
const (
	freshRequests   = 500 // a second
	freshBatch      = 10
	freshWarming    = 5 * time.Second
	freshFor        = 20 * time.Second
	freshProbeEvery = 50
	// freshLook is how long after a look at the report the next one is taken: what is measured is late by half of it and of the query.
	freshLook = 25 * time.Millisecond
)

// BenchmarkFreshness measures how long after the answer to a request its visit is seen in channel_daily, at 5,000 events a second of a busy
// site's mix, with all services and both engines on this machine. An ext4 on which many files were deleted within the last minutes, as by the
// benchmark before, makes ClickHouse's files several times slower to create, and the figure half as high again.
func BenchmarkFreshness(b *testing.B) {
	x := topics(b, "f.")
	db, err := process.OpenClickHouse(x.engines, x.engines.Admin, x.engines.AdminPassword, 6)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	server := httptest.NewServer(x.collector(b, "f."))
	defer server.Close()
	cfg := stitcher.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.TransactionalID, cfg.StateDir = x.engines.Connect(), "f.", "bench-fresh", b.TempDir()
	reg := prometheus.NewRegistry()
	defer x.service(b, stitcher.New(cfg, x.rules(), nil, reg, zap.NewNop()).Run)()
	load := loader.DefaultConfig()
	load.Kafka, load.TopicPrefix = x.engines.Connect(), "f."
	defer x.service(b, loader.New(load, db, reg, zap.NewNop()).Run)()

	f := &fresh{url: server.URL, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}, answered: map[string]time.Time{}}
	b.ResetTimer()
	f.load(b, "warm", freshWarming)
	clear(f.answered)
	stop := f.look(b, db)
	took := f.load(b, "probe", freshFor)
	seen := stop()
	var late []float64
	for campaign, at := range f.answered {
		s, ok := seen[campaign]
		if !ok {
			b.Fatalf("%s is not in channel_daily", campaign)
		}
		late = append(late, float64(s.Sub(at).Milliseconds()))
	}
	b.Log(phases(b, reg))
	b.Log(averages(b, reg, "throughline_stitcher_transaction_seconds", "throughline_loader_batch_seconds", "throughline_loader_delay_seconds"))
	slices.Sort(late)
	slices.Sort(took)
	at := func(of []float64, part float64) float64 { return of[int(part*float64(len(of)-1))] }
	b.ReportMetric(at(late, 0.5), "p50_ms")
	b.ReportMetric(at(late, 0.95), "p95_ms")
	b.ReportMetric(at(late, 0.99), "p99_ms")
	b.ReportMetric(at(took, 0.95), "answer_p95_ms")
	b.ReportMetric(freshRequests*freshBatch, "events/s")
	b.ReportMetric(float64(len(late)), "probes")
}

// fresh is a sender that notes when its probes were answered.
type fresh struct {
	url      string
	client   *http.Client
	mu       sync.Mutex
	answered map[string]time.Time
}

// load sends for a while and returns how many ms each answer took.
func (f *fresh) load(b *testing.B, name string, during time.Duration) (took []float64) {
	var all sync.WaitGroup
	began := time.Now()
	for i := range int(during.Seconds() * freshRequests) {
		due := began.Add(time.Duration(i) * time.Second / freshRequests)
		if wait := time.Until(due); wait > 0 {
			<-time.After(wait)
		}
		all.Go(func() {
			campaign := ""
			if i%freshProbeEvery == 0 {
				campaign = fmt.Sprint(name, i)
			}
			err := f.send(freshBody(name, i, campaign))
			now := time.Now()
			f.mu.Lock()
			defer f.mu.Unlock()
			if err != nil {
				b.Error(err)
			}
			took = append(took, float64(now.Sub(due).Milliseconds()))
			if campaign != "" {
				f.answered[campaign] = now
			}
		})
	}
	all.Wait()
	return took
}

func (f *fresh) send(body string) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, f.url+"/v1/events", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer sk_bench")
	req.Header.Set("Content-Type", "application/x-ndjson")
	res, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("HTTP %d: %s", res.StatusCode, text)
	}
	return err
}

// freshBody is a request of a busy site and its CRM; the first event is the probe, if there is one.
func freshBody(name string, request int, campaign string) string {
	rnd := rand.New(rand.NewPCG(uint64(request), 7))
	var out strings.Builder
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
	for k := range freshBatch {
		id := fmt.Sprint(name, "-", request, "-", k)
		visitor := fmt.Sprint(name, "-", request-rnd.IntN(2)*rnd.IntN(request+1), "-", k) // one who was here, or a new one
		c := campaign
		if k > 0 || c == "" {
			c = fmt.Sprint("c", rnd.IntN(50))
		}
		switch n := rnd.IntN(100); {
		case n < 85 || k == 0:
			fmt.Fprintf(&out, `{"id":%q,"type":"visit","source":"site","time":%q,"identities":{"anonymous_id":%q},"visit":{"url":"https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=%s"}}`, id, now, visitor, c)
		case n < 95:
			fmt.Fprintf(&out, `{"id":%q,"type":"deal","source":"crm","time":%q,"identities":{"email":"%s@example.com"},"deal":{"id":%q,"status":%q,"amount":"%d.00"}}`,
				id, now, visitor, fmt.Sprint(name, rnd.IntN(request+1)), []string{"open", "won", "lost"}[rnd.IntN(3)], rnd.IntN(5000))
		default:
			fmt.Fprintf(&out, `{"id":%q,"type":"form","source":"site","time":%q,"identities":{"anonymous_id":%q,"email":"%s@example.com"},"form":{"form_id":"test"}}`, id, now, visitor, visitor)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// look looks at the report again and again and notes when each probe was first seen, until stop is called and all are seen.
func (f *fresh) look(b *testing.B, db clickhouse.Conn) (stop func() map[string]time.Time) {
	ctx := context.Background()
	seen, ending, ended := map[string]time.Time{}, make(chan time.Time, 1), make(chan struct{})
	go func() {
		defer close(ended)
		var until time.Time
		for {
			var campaigns []string
			err := db.QueryRow(ctx, `SELECT groupUniqArray(campaign) FROM throughline.channel_daily
				WHERE workspace = 'bench' AND date_basis = 'touch' AND model = 'linear' AND date >= today() - 1 AND startsWith(campaign, 'probe') AND visits > 0`).Scan(&campaigns)
			now := time.Now()
			if err != nil {
				b.Error(err)
				return
			}
			for _, c := range campaigns {
				if _, known := seen[c]; !known {
					seen[c] = now
				}
			}
			select {
			case until = <-ending:
			case <-time.After(freshLook):
			}
			f.mu.Lock()
			all := len(seen) >= len(f.answered)
			f.mu.Unlock()
			if !until.IsZero() && (all || now.After(until)) {
				return
			}
		}
	}()
	return func() map[string]time.Time {
		ending <- time.Now().Add(30 * time.Second)
		<-ended
		return seen
	}
}

// averages are those of histograms.
func averages(b *testing.B, reg *prometheus.Registry, names ...string) string {
	families, err := reg.Gather()
	if err != nil {
		b.Fatal(err)
	}
	var out strings.Builder
	for _, f := range families {
		if slices.Contains(names, f.GetName()) {
			h := f.GetMetric()[0].GetHistogram()
			fmt.Fprintf(&out, "%s: %d of %.0f ms on average; ", strings.TrimPrefix(f.GetName(), "throughline_"), h.GetSampleCount(), 1000*h.GetSampleSum()/float64(h.GetSampleCount()))
		}
	}
	return out.String()
}
