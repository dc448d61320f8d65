package demo

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
)

var end = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func tellAll(t *testing.T, seed uint64) ([][]byte, Totals) {
	var totals Totals
	cfg := DefaultConfig(end)
	cfg.Seed, cfg.People = seed, 600
	return slices.Collect(New(cfg).Lines(&totals)), totals
}

func TestAStoryIsAFunctionOfItsSeed(t *testing.T) {
	a, totalsA := tellAll(t, 1)
	b, totalsB := tellAll(t, 1)
	other, _ := tellAll(t, 2)
	if !slices.EqualFunc(a, b, bytes.Equal) || !reflect.DeepEqual(totalsA, totalsB) {
		t.Error("the same seed tells two stories")
	}
	if slices.EqualFunc(a, other, bytes.Equal) {
		t.Error("two seeds tell one story")
	}
}

// TestTotals counts again from the lines alone, holds every line to the contract, and sees that the story is hard enough.
func TestTotals(t *testing.T) {
	lines, totals := tellAll(t, 1)
	rules := &event.Rules{Workspace: "w", Country: "PL", Pepper: []byte("p"), Currencies: map[string]bool{"EUR": true}}
	classify, err := pipelines.NewClassifier(nil)
	if err != nil {
		t.Fatal(err)
	}
	var events []event.Event
	seen := map[string]bool{}
	late, last := 0, int64(0)
	for _, line := range lines {
		e, dropped, bad := event.Parse(line, rules, end, event.Options{})
		if bad != nil || len(dropped) > 0 || e.Time > end.UnixMilli() {
			t.Fatalf("%s: %v, dropped %v", line, bad, dropped)
		}
		if e.Time < last {
			late++
		}
		last = e.Time
		if !seen[e.Key()] {
			seen[e.Key()] = true
			events = append(events, e)
		}
	}
	if got := recount(events, classify); !reflect.DeepEqual(got, totals) {
		t.Errorf("counted %+v\nthe story says %+v", got, totals)
	}
	if len(lines) == len(seen) || late == 0 {
		t.Errorf("too tame: %d lines of %d events, %d late", len(lines), len(seen), late)
	}
	if totals.Won == 0 || totals.Lost == 0 || totals.Won+totals.Lost >= totals.Deals || totals.Inquiries == 0 || len(totals.VisitsBy) != 6 || len(totals.SpendBy) != 2 {
		t.Errorf("too tame: %+v", totals)
	}
}

// recount is what the contract makes of events, in the order of (time, id).
func recount(events []event.Event, classify *pipelines.Classifier) Totals {
	slices.SortFunc(events, func(a, b event.Event) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID)) })
	out := Totals{Events: len(events), VisitsBy: map[string]int{}, SpendBy: map[string]int64{}}
	type deal struct {
		status       string
		amount, cost int64
	}
	deals := map[string]*deal{}
	spend := map[event.NodeID]*event.Event{}
	wrote := map[event.NodeID]bool{}
	cents := func(m event.Money) int64 { return m.Micros().Int64() / 10_000 }
	for i := range events {
		switch e := &events[i]; e.Type {
		case event.Visit:
			out.Visits++
			out.VisitsBy[classify.Classify(e.Visit.Origin).Channel]++
		case event.Form, event.Call:
			out.Inquiries++
		case event.Message:
			who := e.Nodes[slices.IndexFunc(e.Nodes, func(n event.Node) bool { return n.Kind == "telegram" })].ID
			if !wrote[who] { // nobody in the story begins a second conversation
				wrote[who] = true
				out.Inquiries++
			}
		case event.Spend:
			spend[event.SpendKey(e)] = e
		case event.Deal:
			d := deals[e.Deal.ID]
			if d == nil {
				d = &deal{}
				deals[e.Deal.ID] = d
			}
			if e.Deal.Status != nil {
				d.status = *e.Deal.Status
			}
			if e.Deal.Amount != nil {
				d.amount = cents(*e.Deal.Amount)
			}
			if e.Deal.CostOfGoods != nil {
				d.cost = cents(*e.Deal.CostOfGoods)
			}
		default:
		}
	}
	for _, d := range deals {
		out.Deals++
		switch d.status {
		case "won":
			out.Won, out.Revenue, out.Cost = out.Won+1, out.Revenue+d.amount, out.Cost+d.cost
		case "lost":
			out.Lost++
		}
	}
	for _, e := range spend {
		out.Spend += cents(e.Spend.Amount)
		out.SpendBy[classify.Tuple(e.Spend.UTM).Channel] += cents(e.Spend.Amount)
	}
	return out
}

// TestNothingComesAfterTheEnd would find it in a story long enough for the rarest lives.
func TestNothingComesAfterTheEnd(t *testing.T) {
	var totals Totals
	cfg := DefaultConfig(end)
	cfg.People, cfg.Days = 3000, minDays
	for line := range New(cfg).Lines(&totals) {
		var e struct{ Time time.Time }
		if err := json.Unmarshal(line, &e); err != nil || e.Time.After(end) {
			t.Fatalf("%s, %v", line, err)
		}
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	if err := DefaultConfig(end).Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
	err := fmt.Sprint(Config{}.Validate())
	for _, field := range []string{"demo.people: 0", "demo.days: 0", "demo.end"} {
		if !strings.Contains(err, field) {
			t.Errorf("%s is not reported: %s", field, err)
		}
	}
}

// TestSendLosesNothing sends through a server that drops connections and asks to wait, and forgets nothing of what it
// acknowledged.
func TestSendLosesNothing(t *testing.T) {
	var mu sync.Mutex
	got := map[string]bool{}
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) % 6 {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case 3:
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case 4: // a proxy whose collector has gone
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		b, err := io.ReadAll(z)
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		for line := range bytes.SplitSeq(bytes.TrimSpace(b), []byte("\n")) {
			var e struct{ ID, Source string }
			if err := json.Unmarshal(line, &e); err != nil {
				t.Error(err)
			}
			got[e.Source+"/"+e.ID] = true
		}
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(`{"accepted":1,"rejected":[]}`)) // the client sees if it does not arrive
	}))
	defer server.Close()
	cfg := DefaultConfig(end)
	cfg.People = 20
	var totals Totals
	lines := slices.Collect(New(cfg).Lines(&totals))
	sent, err := Send(context.Background(), Target{URL: func() string { return server.URL }, Key: "k", Batch: 300, Workers: 2}, slices.Values(lines), nil)
	if err != nil || sent != len(lines) || len(got) != totals.Events {
		t.Errorf("sent %d of %d, %d of %d events arrived: %v", sent, len(lines), len(got), totals.Events, err)
	}
}

// TestSendGivesUp checks that what cannot become right by repetition ends it, and says why.
func TestSendGivesUp(t *testing.T) {
	for _, row := range []struct {
		name, url, body, want string
		status                int
	}{
		{"a key that is not known", "", `{"error":{"code":"unauthorized"}}`, "HTTP 401", http.StatusUnauthorized},
		{"an item rejected", "", `{"accepted":0,"rejected":[{"index":0,"code":"bad_time","message":"m"}]}`, "1 events were rejected, the first with bad_time: m", http.StatusAccepted},
		{"an answer that is none", "", "hello", "cannot be read", http.StatusAccepted},
		{"an address that is none", "localhost:8080", "", "is no http address", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(row.status)
				_, _ = w.Write([]byte(row.body)) // the client sees if it does not arrive
			}))
			defer server.Close()
			to := Target{URL: func() string { return cmp.Or(row.url, server.URL) }, Key: "k", Batch: 10, Workers: 2}
			n, err := Send(t.Context(), to, slices.Values([][]byte{[]byte("{}")}), nil)
			if n != 0 || err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%d sent, %v; want %s", n, err, row.want)
			}
		})
	}
}

// TestSendStops checks that its end can be asked for while it waits.
func TestSendStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer cancel()
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	to := Target{URL: func() string { return server.URL }, Key: "k", Batch: 1, Workers: 1}
	if n, err := Send(ctx, to, slices.Values([][]byte{[]byte("{}"), []byte("{}")}), nil); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d sent, %v", n, err)
	}
}
