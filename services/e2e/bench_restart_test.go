package e2e

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher"
)

// crowdPeople is how many people the restart is measured with, five events each: a million takes some minutes to make, so
// `make bench` takes fewer unless THROUGHLINE_BENCH_PEOPLE says otherwise.
const crowdPeople = 100_000

// BenchmarkRestart measures how long a stitcher takes to hold its partitions again: warm, with its state on the same disk, and
// cold, from the changelog alone. It tells the most memory that the process took from the system while it worked.
func BenchmarkRestart(b *testing.B) {
	people := crowdPeople
	if s := os.Getenv("THROUGHLINE_BENCH_PEOPLE"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		people = n
	}
	x := topics(b, "r.")
	x.crowd(b, "r.", people)
	cfg := stitcher.DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.TransactionalID = x.engines.Connect(), "r.", "bench-restart"
	cfg.StateDir = b.TempDir()
	began := time.Now()
	stop := x.service(b, stitcher.New(cfg, x.rules(), nil, prometheus.NewRegistry(), zap.NewNop()).Run)
	peak := watchMemory()
	x.drained(b, "r."+cfg.Group, "r."+pipelines.TopicEvents, "r."+pipelines.TopicMessages)
	rate, most := float64(5*people)/time.Since(began).Seconds(), peak()
	stop()

	b.ResetTimer()
	b.ReportMetric(rate, "events/s")
	b.ReportMetric(float64(most)/(1<<20), "peak_MiB")
	b.ReportMetric(x.holds(b, cfg), "warm_s")
	cfg.StateDir = b.TempDir()
	b.ReportMetric(x.holds(b, cfg), "cold_s")
	b.ReportMetric(float64(people), "people")
}

// holds starts a stitcher and returns the seconds until it holds every partition.
func (x *bench) holds(b *testing.B, cfg stitcher.Config) float64 {
	reg := prometheus.NewRegistry()
	began := time.Now()
	stop := x.service(b, stitcher.New(cfg, x.rules(), nil, reg, zap.NewNop()).Run)
	defer stop()
	for metric(b, reg, "throughline_stitcher_partitions") < benchPartitions {
		if time.Since(began) > 10*time.Minute {
			b.Fatal("the partitions are not held")
		}
		<-time.After(5 * time.Millisecond)
	}
	return time.Since(began).Seconds()
}

// watchMemory looks at what the process has from the system until it is asked for the most of it.
func watchMemory() (peak func() uint64) {
	ended, told := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.Sys-m.HeapReleased)
			select {
			case <-ended:
				told <- most
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(ended)
		return <-told
	}
}

// crowd writes five events of each of some people: three visits, a form and a change of a deal. Some have two browsers.
func (x *bench) crowd(b *testing.B, prefix string, people int) {
	client, err := kgo.NewClient(append(x.engines.Connect(), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.MaxBufferedRecords(50_000))...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	rules := x.workspaces[0].EventRules()
	start := time.Now().AddDate(0, -2, 0).UnixMilli()
	failed := make(chan error, 1)
	send := func(id string, t event.Type, at int64, nodes ...event.Node) {
		e := &event.Event{Workspace: "bench", Source: "site", ID: id, Type: t, Time: at, Nodes: nodes, Raw: []byte(`{"id":"` + id + `"}`), Content: uint64(at)}
		switch t {
		case event.Visit:
			e.Visit = &event.VisitData{URL: "https://shop.example/", Origin: event.Origin{UTM: event.UTM{Source: "google", Medium: "cpc", Campaign: "brand"}}}
		case event.Form:
			e.Form = &event.FormData{FormID: "lead"}
		case event.Deal:
			won, amount := "won", event.Money("120.00")
			e.Source, e.Deal = "crm", &event.DealData{ID: id, Status: &won, Amount: &amount}
		case event.Call, event.Message, event.Spend, event.Identify, event.NumberLease:
		}
		client.Produce(context.Background(), &kgo.Record{
			Topic: prefix + pipelines.TopicEvents, Partition: pipelines.Partition(nodes[0].ID, benchPartitions), Value: e.Append(nil),
		}, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	for i := range people {
		n, at := strconv.Itoa(i), start+int64(i)*50
		browser, phone := rules.Node("anonymous_id", n), rules.Node("phone", n)
		for k := range 3 {
			send("v"+n+"."+strconv.Itoa(k), event.Visit, at+int64(k)*60_000, browser)
		}
		nodes := []event.Node{browser}
		if i%10 == 0 { // as in life, one in ten can be told
			nodes = append(nodes, phone)
		}
		send("f"+n, event.Form, at+200_000, nodes...)
		if i%10 == 0 {
			send("d"+n, event.Deal, at+400_000, rules.Node("deal", "crm/d"+n), phone)
		} else {
			send("w"+n, event.Visit, at+400_000, browser)
		}
	}
	if err := client.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
}
