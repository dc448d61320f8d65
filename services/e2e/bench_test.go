package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/pipelines"
	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/collector"
	"github.com/throughline-io/throughline/services/demo"
	"github.com/throughline-io/throughline/services/loader"
	"github.com/throughline-io/throughline/services/process"
	"github.com/throughline-io/throughline/services/stitcher"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

// bench is what the benchmarks share, engines and a workspace, and what one of them sends.
type bench struct {
	engines    *process.Engines
	workspaces []workspace.Workspace
	events     []*event.Event
	lines      [][]byte
}

// story is the car dealer's, by lines and as events. It lives no longer than who asked for it: what is measured afterwards shares its
// memory with nobody.
func (x *bench) story(b *testing.B) *bench {
	cfg := demo.DefaultConfig(time.Now().AddDate(0, -2, 0))
	cfg.People = 18_000
	var totals demo.Totals
	told := &bench{engines: x.engines, workspaces: x.workspaces, lines: slices.Collect(demo.New(cfg).Lines(&totals))}
	for _, line := range told.lines {
		e, _, bad := event.Parse(line, x.workspaces[0].EventRules(), time.Now(), event.Options{})
		if bad != nil {
			b.Fatal(bad)
		}
		told.events = append(told.events, &e)
	}
	return told
}

const benchPartitions = 12

// bring starts the engines of the benchmarks, once; they end with the program.
var bring = sync.OnceValues(func() (*bench, error) {
	process.TuneMemory() // as the program does
	dir, err := os.MkdirTemp("", "throughline-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{}
	var list struct {
		Workspaces []workspace.Workspace `yaml:"workspaces"`
	}
	if err := yaml.Unmarshal([]byte("workspaces:\n"+benchWorkspace), &list); err != nil {
		return nil, err
	}
	b.workspaces = list.Workspaces
	if err := workspace.Validate(b.workspaces); err != nil {
		return nil, err
	}
	free := "127.0.0.1:0"
	if b.engines, err = process.StartEngines(context.Background(), process.Wanted{
		Data: dir, KafkaListen: free, ClickHouseListen: free, ClickHouseHTTPListen: free, Users: schema.Users("", "", nil),
	}, zap.NewNop(), func(string) {}); err != nil {
		return nil, err
	}
	atEnd = append(atEnd, func() { b.engines.Stop(); os.RemoveAll(dir) })
	if err := process.Migrate(context.Background(), b.engines, nil, nil, nil); err != nil {
		return nil, err
	}
	return b, nil
})

// benchWorkspace is what the story is told to.
var benchWorkspace = workspaceConfig("bench", "")

// atEnd is run when the tests are over.
var atEnd []func()

func topics(b testing.TB, prefix string) *bench {
	b.Helper()
	x, err := bring()
	if err != nil {
		b.Fatal(err)
	}
	if err := process.EnsureTopics(context.Background(), x.engines.Connect(), prefix, benchPartitions); err != nil {
		b.Fatal(err)
	}
	return x
}

// cpu is the CPU seconds of this process so far: the service's, without those of the engines.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// BenchmarkCollector measures durable requests against a bare handler that produces the same number of records of the same
// size and waits for the same acks.
func BenchmarkCollector(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d_events_a_request", batch), func(b *testing.B) {
			prefix := fmt.Sprintf("c%d.", batch)
			x := topics(b, prefix).story(b)
			requests := min(6000, len(x.lines)/batch)
			bare, whole := x.bareHandler(b, prefix), x.collector(b, prefix)
			x.load(b, bare, batch, 0, requests/4) // what warms clients and broker up counts for neither
			x.load(b, whole, batch, 0, requests/4)
			ceiling := x.load(b, bare, batch, requests/4, requests)
			b.ResetTimer()
			got := x.load(b, whole, batch, requests/4, requests)
			b.ReportMetric(got, "requests/s")
			b.ReportMetric(got*float64(batch), "events/s")
			b.ReportMetric(ceiling, "ceiling_requests/s")
			b.ReportMetric(got/ceiling, "of_ceiling")
		})
	}
}

// load sends some requests with 32 clients and returns how many a second were acknowledged.
func (x *bench) load(b *testing.B, handler http.Handler, batch, from, to int) float64 {
	server := httptest.NewServer(handler)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	var next atomic.Int64
	next.Store(int64(from))
	var wg sync.WaitGroup
	began := time.Now()
	for range 32 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= to {
					return
				}
				var body strings.Builder
				for _, line := range x.lines[i*batch : (i+1)*batch] {
					body.Write(line)
					body.WriteByte('\n')
				}
				req, err := http.NewRequest(http.MethodPost, server.URL+"/v1/events", strings.NewReader(body.String()))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer sk_bench")
				req.Header.Set("Content-Type", "application/x-ndjson")
				res, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				if res.StatusCode != http.StatusAccepted {
					text, _ := io.ReadAll(res.Body)
					b.Errorf("HTTP %d: %s", res.StatusCode, text)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
		})
	}
	wg.Wait()
	return float64(to-from) / time.Since(began).Seconds()
}

func (x *bench) bareHandler(b *testing.B, prefix string) http.Handler {
	client, err := kgo.NewClient(append(x.engines.Connect(), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerLinger(2*time.Millisecond),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()))...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var records []*kgo.Record
		for line := range strings.SplitSeq(strings.TrimSpace(string(body)), "\n") {
			records = append(records, &kgo.Record{Topic: prefix + pipelines.TopicDead, Value: []byte(line)})
		}
		if err := client.ProduceSync(r.Context(), records...).FirstErr(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
}

func (x *bench) collector(b *testing.B, prefix string) http.Handler {
	cfg := collector.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix = x.engines.Connect(), prefix
	c := collector.New(cfg, x.workspaces, prometheus.NewRegistry(), zap.NewNop())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	for c.Ready(ctx) != nil {
		runtime.Gosched()
	}
	mux := http.NewServeMux()
	c.Register(mux)
	return mux
}

// fill writes the story's events to the events topic, as the collector would.
func (x *bench) fill(b testing.TB, prefix string) {
	client, err := kgo.NewClient(append(x.engines.Connect(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.MaxBufferedRecords(len(x.events)))...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for _, e := range x.events {
		var id event.NodeID
		if e.Type == event.Spend {
			id = event.SpendKey(e)
		} else {
			id = e.Nodes[0].ID
		}
		records = append(records, &kgo.Record{Topic: prefix + pipelines.TopicEvents, Partition: pipelines.Partition(id, benchPartitions), Value: e.Append(nil)})
	}
	if err := client.ProduceSync(context.Background(), records...).FirstErr(); err != nil {
		b.Fatal(err)
	}
}

// drained waits until a group has taken topics whole.
func (x *bench) drained(b testing.TB, group string, topics ...string) {
	client, err := kgo.NewClient(x.engines.Connect()...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	least := int64(-1)
	for end := time.Now().Add(5 * time.Minute); ; <-time.After(10 * time.Millisecond) {
		var lag int64
		for _, t := range topics {
			n, err := process.Lag(context.Background(), client, group, t)
			switch {
			case err == nil:
				lag += n
			case kerr.IsRetriable(err): // a broker that has just started makes its topics at the first question
				lag++
			default:
				b.Fatal(err)
			}
		}
		if lag == 0 {
			return
		}
		if least < 0 || lag < least { // as long as it goes on, it may take as long as it takes
			least, end = lag, time.Now().Add(5*time.Minute)
		}
		if time.Now().After(end) {
			b.Fatalf("%s still lags by %d", group, lag)
		}
	}
}

// BenchmarkStitcher measures events a second of the car dealer's story, whose people are joined again and again, exactly once,
// against a process that reads and writes as much and does nothing else.
func BenchmarkStitcher(b *testing.B) {
	x := topics(b, "s.")
	seconds, used, events, size := x.stitch(b)
	n := float64(events)
	ceiling := x.echo(b, "s.", n)
	b.ReportMetric(n/seconds, "events/s")
	b.ReportMetric(ceiling, "ceiling_events/s")
	b.ReportMetric(n/seconds/ceiling, "of_ceiling")
	b.ReportMetric(float64(size)/n, "bytes/event")
	b.ReportMetric(used/n*1e6, "cpu_s/million")
}

// stitched says that the topics of BenchmarkStitcher are filled.
var stitched bool

// stitch works off the story, and returns in how many seconds and with how many of processor time, and the story's events and bytes.
func (x *bench) stitch(b *testing.B) (seconds, used float64, events, size int) {
	events, size = x.tell(b)
	runtime.GC()
	cfg := stitcher.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.TransactionalID = x.engines.Connect(), "s.", "bench-stitcher"
	cfg.StateDir = b.TempDir()
	st := stitcher.New(cfg, x.rules(), nil, prometheus.NewRegistry(), zap.NewNop())
	b.ResetTimer()
	began, spent := time.Now(), cpu()
	stop := x.service(b, st.Run)
	x.drained(b, "s."+cfg.Group, "s."+pipelines.TopicEvents, "s."+pipelines.TopicMessages)
	seconds, used = time.Since(began).Seconds(), cpu()-spent
	stop()
	stitched = true
	return seconds, used, events, size
}

// tell writes the story to the topic, and keeps none of it.
func (x *bench) tell(b *testing.B) (events, size int) {
	told := x.story(b)
	told.fill(b, "s.")
	for _, e := range told.events {
		size += len(e.Append(nil))
	}
	return len(told.events), size
}

// rules are those of the one workspace.
func (x *bench) rules() map[string]stitcher.Rules {
	w := &x.workspaces[0]
	return map[string]stitcher.Rules{w.Name: {Config: w.Canonical(), Rules: &journey.Rules{
		Workspace: w.Name, Location: w.Location(), Lookback: w.Lookback.Milliseconds(), MaxTouches: w.MaxTouches, Minor: w.Minor,
		Static: w.Static(), Pool: w.PoolNumbers(), Classify: w.Classifier().Classify, Tuple: w.Classifier().Tuple,
	}}}
}

func (x *bench) service(b *testing.B, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := run(ctx)
		if err != nil {
			b.Logf("the service ended: %v", err)
		}
		ended <- err
	}()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkLoader measures rows a second of the stitcher's postings and the raw events, exactly once and through all views, against a
// copy of the records as they are (blob: one column, nothing decoded, without a plan, a token or a view) and against its peers.
func BenchmarkLoader(b *testing.B) {
	x := topics(b, "s.") // what BenchmarkStitcher wrote
	if !stitched {
		x.stitch(b)
	}
	db, err := process.OpenClickHouse(x.engines, x.engines.Admin, x.engines.AdminPassword, 6)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	ceiling, records := x.bareInsert(b, db)
	cfg := loader.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix = x.engines.Connect(), "s."
	l := loader.New(cfg, db, prometheus.NewRegistry(), zap.NewNop())
	b.ResetTimer()
	began, used := time.Now(), cpu()
	stop := x.service(b, l.Run)
	x.drained(b, "s."+cfg.Group, "s."+pipelines.TopicFacts, "s."+pipelines.TopicEvents)
	seconds, used := time.Since(began).Seconds(), cpu()-used
	stop()
	var rows uint64
	if err := db.QueryRow(ctx, `SELECT sum(rows) FROM system.parts WHERE database = 'throughline' AND active AND table NOT IN ('channel_daily', 'goose_db_version', 'bare')`).Scan(&rows); err != nil {
		b.Fatal(err)
	}
	rate, recordRate := float64(rows)/seconds, float64(records)/seconds
	b.ReportMetric(rate, "rows/s")
	b.ReportMetric(recordRate, "records/s")
	b.ReportMetric(ceiling, "blob_records/s")
	b.ReportMetric(recordRate/ceiling, "of_blob")
	b.ReportMetric(used/float64(rows)*1e6, "cpu_s/million")
	x.peers(b, db, rate)
}

// bareInsert reads the same topics and inserts each record as it is.
func (x *bench) bareInsert(b *testing.B, db clickhouse.Conn) (rate float64, records int) {
	ctx := context.Background()
	if err := db.Exec(ctx, `CREATE TABLE throughline.bare (record String) ENGINE = MergeTree ORDER BY tuple()`); err != nil {
		b.Fatal(err)
	}
	client, err := kgo.NewClient(append(x.engines.Connect(), kgo.ConsumerGroup("s.bare"), kgo.ConsumeTopics("s."+pipelines.TopicFacts, "s."+pipelines.TopicEvents),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	probe, err := kgo.NewClient(x.engines.Connect()...)
	if err != nil {
		b.Fatal(err)
	}
	defer probe.Close()
	began, n := time.Now(), 0
	for {
		var records []string
		client.PollRecords(ctx, 50_000).EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				records = append(records, string(r.Value))
			}
		})
		batch, err := db.PrepareBatch(ctx, "INSERT INTO throughline.bare (record)")
		if err != nil {
			b.Fatal(err)
		}
		if err := batch.Column(0).Append(records); err != nil {
			b.Fatal(err)
		}
		if err := batch.Send(); err != nil {
			b.Fatal(err)
		}
		n += len(records)
		if err := client.CommitUncommittedOffsets(ctx); err != nil {
			b.Fatal(err)
		}
		var lag int64
		for _, t := range []string{pipelines.TopicFacts, pipelines.TopicEvents} {
			one, err := process.Lag(ctx, probe, "s.bare", "s."+t)
			if err != nil {
				b.Fatal(err)
			}
			lag += one
		}
		if lag == 0 {
			return float64(n) / time.Since(began).Seconds(), n
		}
	}
}
