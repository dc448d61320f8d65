package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/zap"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/process"
)

// ledgerTouches is how many touches the ledger of BenchmarkReports has over three years; a tenth as many deals. Twenty million take some
// minutes to make and 5 GB; THROUGHLINE_BENCH_TOUCHES says otherwise, and in the directory THROUGHLINE_BENCH_LEDGER, if set, the
// ledger is kept for the next run.
const ledgerTouches = 20_000_000

// reportRuns is how often a report is asked.
const reportRuns = 40

// BenchmarkReports makes a ledger inside ClickHouse, through the materialised views that fill the aggregates of a real one
// (testdata/ledger), and asks it for a year: channel_roi and funnel from the aggregates, and the same answers from the ledger and
// from the raw events. Answers must agree.
func BenchmarkReports(b *testing.B) {
	touches := ledgerTouches
	if s := os.Getenv("THROUGHLINE_BENCH_TOUCHES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		touches = n
	}
	l := openLedger(b)
	began := time.Now()
	if l.count(b, "touches_log") != uint64(touches) || l.count(b, "events_log") == 0 {
		l.run(b, "testdata/ledger/*.sql", touches/5)
	}
	l.tell("%d touches made in %s", touches, time.Since(began).Round(time.Second))
	b.ResetTimer()
	for _, r := range []struct {
		name, report string
	}{
		{"roi", "SELECT channel, campaign, visits, toInt64(inquiries * 1000000), toInt64(deals * 1000000), toInt64(sales * 1000000), toInt64(revenue * 100) " +
			"FROM throughline.channel_roi(workspace = 'bench', from = '2025-01-15', to = '2026-01-14', model = 'last_touch', date_basis = 'sale') ORDER BY ALL"},
		{"funnel", "SELECT channel, step, toInt64(count * 1000000) FROM throughline.funnel(workspace = 'bench', from = '2025-01-15', to = '2026-01-14', model = 'last_touch') " +
			"WHERE step NOT IN ('visits', 'inquiries') ORDER BY ALL"},
	} {
		answer, took, cost := l.ask(b, r.report, reportRuns)
		b.ReportMetric(took[len(took)/2].Seconds()*1000, r.name+"_p50_ms")
		p95 := took[len(took)*95/100].Seconds() * 1000
		b.ReportMetric(p95, r.name+"_p95_ms")
		b.ReportMetric(float64(cost.rows), r.name+"_rows")
		b.ReportMetric(float64(cost.bytes)/(1<<20), r.name+"_MiB")
		for _, from := range []string{"credits", "events"} {
			statement := l.read(b, "testdata/ledger_answers/"+r.name+"_from_"+from+".sql", touches/5)
			same, slow, cost := l.ask(b, statement[0], 2)
			if same != answer {
				b.Errorf("%s from %s:\n%.2000s\nfrom aggregates:\n%.2000s", r.name, from, same, answer)
			}
			b.ReportMetric(slow[0].Seconds()*1000/(took[len(took)/2].Seconds()*1000), r.name+"_x_"+from)
			l.tell("%s from %s: %s, %d rows, %d MiB", r.name, from, slow[0].Round(time.Millisecond), cost.rows, cost.bytes>>20)
		}
	}
	l.sizes(b)
}

// ledger is a ClickHouse with the tables and a made-up ledger.
type ledger struct{ driver.Conn }

func openLedger(b *testing.B) ledger {
	b.Helper()
	dir := os.Getenv("THROUGHLINE_BENCH_LEDGER")
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "throughline-bench-ledger-"); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	e, err := process.StartClickHouse(context.Background(), process.Wanted{Data: dir, ClickHouseListen: "127.0.0.1:0", ClickHouseHTTPListen: "127.0.0.1:0"}, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Stop)
	if err := process.Migrate(context.Background(), e, nil, nil, nil); err != nil {
		b.Fatal(err)
	}
	conn, err := process.OpenClickHouse(e, e.Admin, e.AdminPassword, 2)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return ledger{conn}
}

// tell prints at once: a benchmark's own log is cut after some lines.
func (l ledger) tell(format string, args ...any) { fmt.Fprintf(os.Stderr, "    "+format+"\n", args...) }

func (l ledger) count(b *testing.B, table string) (n uint64) {
	b.Helper()
	if err := l.QueryRow(context.Background(), "SELECT count() FROM "+schema.Database+"."+table).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

// read is the statements of a file for a number of people.
func (l ledger) read(b *testing.B, path string, people int) (out []string) {
	b.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range strings.Split(strings.ReplaceAll(string(text), "{people}", strconv.Itoa(people))+"\n", ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (l ledger) run(b *testing.B, pattern string, people int) {
	b.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		b.Fatal(files, err)
	}
	for _, f := range files {
		began := time.Now()
		for _, s := range l.read(b, f, people) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
			if err := l.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"max_insert_threads": 1, "max_execution_time": 1200})), s); err != nil {
				b.Fatalf("%s: %v\n%.300s", f, err, s)
			}
			cancel()
		}
		l.tell("%s: %s", filepath.Base(f), time.Since(began).Round(100*time.Millisecond))
	}
}

// cost is what ClickHouse read for an answer.
type cost struct{ rows, bytes uint64 }

// ask asks some times and returns the answer as text, how long each took, sorted, and what was read.
func (l ledger) ask(b *testing.B, query string, times int) (answer string, took []time.Duration, c cost) {
	b.Helper()
	for i := range times + 1 {
		c = cost{}
		ctx := clickhouse.Context(context.Background(), clickhouse.WithProgress(func(p *clickhouse.Progress) {
			c.rows, c.bytes = c.rows+p.Rows, c.bytes+p.Bytes
		}), clickhouse.WithSettings(clickhouse.Settings{"max_execution_time": 600, "max_bytes_before_external_group_by": 1 << 30}))
		began := time.Now()
		rows, err := l.Query(ctx, "SELECT toString(tuple(*)) FROM ("+query+")")
		if err != nil {
			b.Fatalf("%v\n%s", err, query)
		}
		var lines []string
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				b.Fatal(err)
			}
			lines = append(lines, line)
		}
		if err := rows.Err(); err != nil {
			b.Fatalf("%v\n%s", err, query)
		}
		_ = rows.Close()        // it is read to its end
		if i > 0 || times < 3 { // the first of many warms the caches
			took = append(took, time.Since(began))
		}
		answer = strings.Join(lines, "\n")
		if times < 3 && i == 0 {
			break // minutes are measured once
		}
	}
	slices.Sort(took)
	return answer, took, c
}

// sizes tells the bytes on disk of every table by the raw event.
func (l ledger) sizes(b *testing.B) {
	b.Helper()
	events := l.count(b, "events_log")
	rows, err := l.Query(context.Background(), "SELECT table, sum(rows), sum(bytes_on_disk) FROM system.parts WHERE active AND database = '"+schema.Database+"' GROUP BY table ORDER BY 3 DESC")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	var total uint64
	for rows.Next() {
		var table string
		var n, bytes uint64
		if err := rows.Scan(&table, &n, &bytes); err != nil {
			b.Fatal(err)
		}
		total += bytes
		l.tell("%-22s %12d rows %9.1f MiB %7.2f bytes an event", table, n, float64(bytes)/(1<<20), float64(bytes)/float64(events))
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(events), "events")
	b.ReportMetric(float64(total)/float64(events), "disk_B/event")
}
