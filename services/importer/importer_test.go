package importer

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/throughline-io/throughline/pipelines"
)

var update = flag.Bool("update", false, "write the golden files anew")

// faulty is a table with a fault of each kind.
const faulty = `id,time,phone,amount
1,2026-10-01T10:00:00Z,+48501000001,
2,2026-10-02T10:00:00Z,+48501000002,10.50
3,yesterday,+48501000003,
4,2026-10-02T10:00:00Z,,
5,2026-10-02T10:00:00Z,+48501000005,,too,many
6,2026-10-02T10:00:00Z,+48501000006,ten
7,never,+48501000007,
8,soon,+48501000008,
9,late,+48501000009,
`

// TestImport: what is good is in Kafka once, what is bad is a dead letter with its reason and the source's version, and the same
// content again changes nothing, whatever the file's name.
func TestImport(t *testing.T) {
	x := newWorld(t)
	file := x.write("a.csv", faulty)
	f := x.run(x.way("rows"), nil, file)[0]
	if f.Items != 9 || f.Rejected != 6 || f.Nothing != 1 || !f.Done || f.Err != nil {
		t.Errorf("%+v", f)
	}
	want := map[string]int{"f-1": 1, "f-2": 1, "d-2": 1, "f-6": 1}
	if got := x.events(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("events %v, want %v", got, want)
	}
	codes := map[string]int{}
	for _, l := range x.letters() {
		codes[l.Code]++
		if l.Key != Sender || l.Source == nil || l.Source.Version != x.instance.Source.Version || l.Message == "" || l.Sealed == nil {
			t.Errorf("%+v", l)
		}
	}
	if fmt.Sprint(codes) != "map[bad_field:1 bad_time:4 unreadable:1]" {
		t.Errorf("letters %v", codes)
	}
	again := x.run(x.way("rows"), nil, x.write("b.csv", faulty))[0]
	if !again.Before || again.Items != 9 || again.Rejected != 6 {
		t.Errorf("again: %+v", again)
	}
	if n := len(x.records(pipelines.TopicEvents)); n != 4 {
		t.Errorf("%d events after the same content came again", n)
	}
	if f := x.run(x.way("rows"), func(c *Config) { c.Again = true }, file)[0]; f.Before || f.From != 0 || f.Items != 9 {
		t.Errorf("--again: %+v", f)
	}
	if got := x.events(); got["f-1"] != 2 || len(got) != 4 {
		t.Errorf("--again: %v", got)
	}
}

// TestReceivedStays: what a mapping makes of $received is the same however often a content is imported.
func TestReceivedStays(t *testing.T) {
	x := newWorld(t)
	file := x.write("a.ndjson", `{"id":1,"time":"2026-10-01T10:00:00Z","phone":"+48501000001"}`)
	for range 3 {
		x.run(x.way("other"), func(c *Config) { c.Again = true }, file)
	}
	if got := x.events(); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

// TestResume lets Kafka refuse events from some request on: everything before the point that was written down is in Kafka, the next run
// goes on there, and in the end every row is there.
func TestResume(t *testing.T) {
	const n = 30_000
	for _, pack := range []struct {
		name string
		by   func(string) string
	}{{"plain", func(s string) string { return s }}, {"gzip", zipped}} {
		t.Run(pack.name, func(t *testing.T) {
			x := newWorld(t)
			file := x.write("rows.csv", pack.by(rows(n)))
			var requests atomic.Int64
			fault := x.cluster.Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.Produce}, Topic: "p." + pipelines.TopicEvents, Err: kerr.TopicAuthorizationFailed, Count: -1,
				When: func(kmsg.Request) bool { return requests.Add(1) > 20 },
			})
			done, err := x.try(x.way("rows"), nil, file)
			if err == nil || done[0].Done || !errors.Is(err, kerr.TopicAuthorizationFailed) {
				t.Fatalf("%v, %+v", err, done[0])
			}
			fault.Remove()
			at := done[0].Items
			if at == 0 || at == n {
				t.Fatalf("it came to item %d; the fault is to be in the middle", at)
			}
			have := x.events()
			for i := range at {
				if have[fmt.Sprint("f-", i)] == 0 {
					t.Fatalf("row %d is not in Kafka, and %d items are said to be", i, at)
				}
			}
			f := x.run(x.way("rows"), nil, file)[0]
			if f.From != at || f.Items != n || !f.Done || f.Events["form"] != n {
				t.Errorf("from %d of %d: %+v", f.From, at, f.Progress)
			}
			have = x.events()
			for i := range n {
				if have[fmt.Sprint("f-", i)] == 0 {
					t.Fatalf("row %d is missing", i)
				}
			}
			t.Logf("resumed at %d of %d; %d events of %d ids", at, n, len(x.records(pipelines.TopicEvents)), len(have))
		})
	}
}

// TestInterrupted: who cancels loses nothing either.
func TestInterrupted(t *testing.T) {
	const n = 30_000
	x := newWorld(t)
	file := x.write("rows.csv", rows(n))
	ctx, cancel := context.WithCancel(context.Background())
	im := New(x.cfg, x.way("rows"))
	go func() {
		for {
			if s, _ := im.State(); s.Items > 2000 {
				cancel()
				return
			}
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	done, err := im.Run(ctx, []string{file})
	if !errors.Is(err, context.Canceled) || done[0].Done {
		t.Fatalf("%v, %+v", err, done[0])
	}
	f := x.run(x.way("rows"), nil, file)[0]
	if f.From != done[0].Items || f.From < 2000 || f.Items != n {
		t.Errorf("went on at %d, had come to %d: %+v", f.From, done[0].Items, f.Progress)
	}
	if have := x.events(); len(have) != n {
		t.Errorf("%d rows of %d", len(have), n)
	}
}

// TestAnotherMeaning: other settings or another definition mean other events, so the file is read from its beginning.
func TestAnotherMeaning(t *testing.T) {
	x := newWorld(t)
	file := x.write("rows.csv", rows(3))
	x.run(x.way("rows"), nil, file)
	w := x.way("rows")
	w.Fingerprint = "another"
	if f := x.run(w, nil, file)[0]; f.Before || f.From != 0 || f.Items != 3 {
		t.Errorf("%+v", f)
	}
}

// TestChanged: a file that grows while it is read is not written down as imported.
func TestChanged(t *testing.T) {
	x := newWorld(t)
	file := x.write("rows.csv", rows(20_000))
	im := New(x.cfg, x.way("rows"))
	go func() {
		for {
			if s, _ := im.State(); s.Items > 1000 {
				break
			}
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
		if err := os.WriteFile(file, []byte(rows(20_001)), 0o600); err != nil {
			t.Error(err)
		}
	}()
	done, err := im.Run(context.Background(), []string{file})
	if !errors.Is(err, errChanged) || done[0].Done {
		t.Errorf("%v, %+v", err, done[0])
	}
}

// TestDryRun tells what would become of the files, and needs no Kafka.
func TestDryRun(t *testing.T) {
	x := newWorld(t)
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(x.dir)
	x.write("leads.csv", faulty)
	x.write("no-header.csv", "a,b\n1,2\n")
	x.write("good.csv.gz", zipped(rows(1234)))
	done := x.run(x.way("rows"), func(c *Config) { c.DryRun, c.Kafka = true, nil }, "leads.csv", "good.csv.gz", "no-header.csv", "nowhere.csv")
	var out bytes.Buffer
	if Report(&out, done, true) {
		t.Error("it is said to be good")
	}
	golden := dir + "/testdata/dry-run.txt"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("it says\n%s\nwant\n%s", &out, want)
	}
	for _, topic := range pipelines.Topics {
		if n := len(x.records(topic.Name)); n != 0 {
			t.Errorf("%d records in %s", n, topic.Name)
		}
	}
}

// TestEvents: canonical events come in as they stand, whichever way the file is written.
func TestEvents(t *testing.T) {
	visit := func(id string) string {
		return `{"id":"` + id + `","type":"visit","source":"site","time":"2026-10-01T10:00:00Z","identities":{"anonymous_id":"a"},"visit":{"url":"https://shop.example/"}}`
	}
	pretty := strings.ReplaceAll(visit("a"), ",", ",\n  ")
	for _, row := range []struct {
		name, text string
		events     string
		bad        string
	}{
		{"lines", visit("a") + "\n\n" + visit("b") + "\r\n", "map[a:1 b:1]", ""},
		{"a bad line", visit("a") + "\n{\"id\":\n" + visit("b"), "map[a:1 b:1]", `{"id":`},
		{"a bad first line", "{\"id\":\n" + visit("a") + "\n" + visit("b"), "map[a:1 b:1]", `{"id":`},
		{"an array", "\ufeff [" + visit("a") + ",\n" + visit("b") + "]\n", "map[a:1 b:1]", ""},
		{"values on several lines", pretty + "\n" + visit("b"), "map[a:1 b:1]", ""},
		{"gzip", zipped(visit("a") + "\n" + visit("b")), "map[a:1 b:1]", ""},
		{"a bad event", `{"type":"visit"}`, "map[]", `{"type":"visit"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newWorld(t)
			f := x.run(Events(x.instance.Workspace, 0), nil, x.write("f", row.text))[0]
			if f.Err != nil {
				t.Fatal(f.Err)
			}
			if got := fmt.Sprint(x.events()); got != row.events {
				t.Errorf("%s, want %s", got, row.events)
			}
			letters := x.letters()
			if (len(letters) == 1) != (row.bad != "") {
				t.Fatalf("%d letters", len(letters))
			}
			if row.bad == "" {
				return
			}
			if body, err := letters[0].Open([]byte(x.instance.Workspace.Pepper)); err != nil || string(body) != row.bad {
				t.Errorf("kept %q, %v", body, err)
			}
		})
	}
}
