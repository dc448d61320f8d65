package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"compress/gzip"

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
	if !slices.EqualFunc(a, b, bytes.Equal) || totalsA != totalsB {
		t.Error("the same seed tells two stories")
	}
	if slices.EqualFunc(a, other, bytes.Equal) {
		t.Error("two seeds tell one story")
	}
}

// TestTotals counts again what can be counted from the lines alone, and holds every line to the contract.
func TestTotals(t *testing.T) {
	lines, totals := tellAll(t, 1)
	rules := &event.Rules{Workspace: "w", Country: "PL", Pepper: []byte("p"), Currencies: map[string]bool{"EUR": true}}
	seen := map[string]bool{}
	deals := map[string]bool{}
	visits := 0
	late := 0
	last := int64(0)
	for _, line := range lines {
		e, dropped, bad := event.Parse(line, rules, end.AddDate(0, 1, 0), event.Options{})
		if bad != nil || len(dropped) > 0 {
			t.Fatalf("%s: %v, dropped %v", line, bad, dropped)
		}
		if e.Time < last {
			late++
		}
		last = e.Time
		if seen[e.Key()] {
			continue
		}
		seen[e.Key()] = true
		switch e.Type {
		case event.Visit:
			visits++
		case event.Deal:
			deals[e.Deal.ID] = true
		default:
		}
	}
	if len(seen) != totals.Events || visits != totals.Visits || len(deals) != totals.Deals {
		t.Errorf("counted %d events, %d visits, %d deals; the story says %+v", len(seen), visits, len(deals), totals)
	}
	if len(lines) == len(seen) || late == 0 || totals.Won == 0 || totals.Won == totals.Deals {
		t.Errorf("too tame: %d lines, %d late, %+v", len(lines), late, totals)
	}
}

// TestSendLosesNothing sends through a server that drops connections and asks to wait, and forgets nothing of what it
// acknowledged.
func TestSendLosesNothing(t *testing.T) {
	var mu sync.Mutex
	got := map[string]bool{}
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) % 4 {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
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
