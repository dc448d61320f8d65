package e2e

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/importer"
	"github.com/throughline-io/throughline/services/stitcher"
)

// importRows is how many rows are imported; THROUGHLINE_BENCH_ROWS says otherwise.
const importRows = 1_000_000

// BenchmarkImport measures the import of a table by a source's jq program, and nobody waited for, against the bare pipeline: a client that
// sends the same events as records that were ready before, and waits for the same acks. cores says how many cores the mapping used.
func BenchmarkImport(b *testing.B) {
	n := benchRows(b, importRows)
	x := topics(b, "i.")
	instance, entry := x.exportInstance(b)
	file := filepath.Join(b.TempDir(), "export.csv")
	export(b, file, n, nil)
	ceiling := x.bareRecords(b, "i.", instance, entry, file, n)

	cfg := importer.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.MaxLag = x.engines.Connect(), "i.", 0
	b.ResetTimer()
	began, used := time.Now(), cpu()
	peak := watchMemory()
	events := x.importFile(b, cfg, instance, entry, file, n)
	seconds, used, most := time.Since(began).Seconds(), cpu()-used, peak()
	b.ReportMetric(float64(n)/seconds, "rows/s")
	b.ReportMetric(float64(events)/seconds, "events/s")
	b.ReportMetric(ceiling, "bare_events/s")
	b.ReportMetric(float64(events)/seconds/ceiling, "of_bare")
	b.ReportMetric(used/seconds, "cores")
	b.ReportMetric(used/float64(n)*1e6, "cpu_s/million")
	b.ReportMetric(float64(most)/(1<<20), "peak_MiB")
}

// BenchmarkImportStitched measures an import that waits for the stitcher behind it, as it does by default, until the last of its events
// is stitched, against an import that waits for nobody (what live freshness costs), and the stitcher that finds the same events in Kafka.
func BenchmarkImportStitched(b *testing.B) {
	n := benchRows(b, importRows) / 5
	x := topics(b, "is.")
	_ = topics(b, "ib.")
	_ = topics(b, "iu.")
	instance, entry := x.exportInstance(b)
	file := filepath.Join(b.TempDir(), "export.csv")
	export(b, file, n, nil)
	cfg := importer.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.MaxLag = x.engines.Connect(), "ib.", 0
	x.importFile(b, cfg, instance, entry, file, n)
	ready := x.stitched(b, "ib.", func() {})

	cfg.TopicPrefix = "iu."
	unlimited := x.stitched(b, "iu.", func() { x.importFile(b, cfg, instance, entry, file, n) })

	group := stitcher.DefaultConfig().Group
	cfg.TopicPrefix, cfg.MaxLag = "is.", importer.DefaultMaxLag
	cfg.Stages = []importer.Stage{{Name: "stitcher", Group: group, Topics: []string{pipelines.TopicEvents, pipelines.TopicMessages}, Share: 1}}
	b.ResetTimer()
	took := x.stitched(b, "is.", func() { x.importFile(b, cfg, instance, entry, file, n) })
	b.ReportMetric(float64(n)/took, "rows/s")
	b.ReportMetric(float64(n)/ready, "ready_rows/s")
	b.ReportMetric(float64(n)/unlimited, "unlimited_rows/s")
	b.ReportMetric(unlimited/took, "of_unlimited")
	b.ReportMetric(ready/took, "of_ready")
}

func benchRows(b *testing.B, n int) int {
	b.Helper()
	if s := os.Getenv("THROUGHLINE_BENCH_ROWS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	return n
}

// stitched returns the seconds in which a stitcher takes what is there and what do brings.
func (x *bench) stitched(b *testing.B, prefix string, do func()) float64 {
	cfg := stitcher.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.TransactionalID, cfg.StateDir = x.engines.Connect(), prefix, "bench-import-"+prefix, b.TempDir()
	began := time.Now()
	stop := x.service(b, stitcher.New(cfg, x.rules(), nil, prometheus.NewRegistry(), zap.NewNop()).Run)
	defer stop()
	do()
	x.drained(b, prefix+cfg.Group, prefix+pipelines.TopicEvents, prefix+pipelines.TopicMessages)
	return time.Since(began).Seconds()
}

func (x *bench) importFile(b *testing.B, cfg importer.Config, i *sources.Instance, e *sources.Entry, file string, n int) (events int64) {
	b.Helper()
	way, err := importer.Through(i, e, 0)
	if err != nil {
		b.Fatal(err)
	}
	done, err := importer.New(cfg, way).Run(context.Background(), []string{file})
	if err != nil {
		b.Fatal(err)
	}
	if f := done[0]; f.Err != nil || f.Items != int64(n) || f.Rejected != 0 {
		b.Fatalf("%+v", f)
	}
	return done[0].Events["form"] + done[0].Events["deal"]
}

// exportInstance is the source of exports as the benchmarks' workspace uses it.
func (x *bench) exportInstance(b *testing.B) (*sources.Instance, *sources.Entry) {
	b.Helper()
	list, err := sources.Load(os.DirFS(writeSource(b)), "bench")
	if err != nil {
		b.Fatal(err)
	}
	w := x.workspaces[0]
	w.Sources = []workspace.Source{{Name: "old-crm", Source: "crm-export"}}
	set, err := sources.Bind(list, []workspace.Workspace{w})
	if err != nil {
		b.Fatal(err)
	}
	e, err := importer.EntryOf(list[0], "")
	if err != nil {
		b.Fatal(err)
	}
	return set.Instances[0], e
}

// readyRows is how many rows' records are ready at once; they are sent as often as makes the file's number.
const readyRows = 50_000

// bareRecords sends the file's events as records that are ready, and returns how many a second were acknowledged.
func (x *bench) bareRecords(b *testing.B, prefix string, i *sources.Instance, e *sources.Entry, file string, n int) float64 {
	b.Helper()
	client, err := kgo.NewClient(append(append(intake.Producer(), x.engines.Connect()...), kgo.MaxBufferedRecords(50_000), kgo.ProducerLinger(5*time.Millisecond))...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	topics, err := intake.Count(context.Background(), client, prefix)
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	s, v, rows := intake.NewSource(i, e, "bench", 0), i.Variables(e, time.Now()), 0
	var records []kgo.Record
	for item, err := range e.Read.Read(items.Input{Body: f, Limits: items.File}) {
		if rows++; rows > readyRows {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		m, err := s.Item(context.Background(), item, v, time.Now())
		if err != nil || m.Bad != nil {
			b.Fatal(err, m.Bad)
		}
		for j := range m.Events {
			records = append(records, *topics.Event(&m.Events[j]))
		}
	}
	runtime.GC()
	sent, failed := 0, make(chan error, 1)
	began := time.Now()
	for range max(1, n/readyRows) {
		for j := range records {
			r := records[j] // a record may be given to the client once
			client.Produce(context.Background(), &r, func(_ *kgo.Record, err error) {
				if err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			})
			sent++
		}
	}
	if err := client.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	seconds := time.Since(began).Seconds()
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
	return float64(sent) / seconds
}
