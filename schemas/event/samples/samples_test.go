package samples

import (
	"testing"
	"time"

	"github.com/throughline-io/throughline/schemas/event"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func rules() *event.Rules {
	return &event.Rules{
		Workspace: "w", Country: "PL", Pepper: []byte("not-a-secret"),
		Exclude: map[string]bool{"phone:+48221110000": true}, Currencies: map[string]bool{"EUR": true, "USD": true},
	}
}

func load(t *testing.T, read func() ([]Sample, error)) []Sample {
	t.Helper()
	all, err := read()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestGood(t *testing.T) {
	seen := map[event.Type]int{}
	for _, s := range load(t, Good) {
		t.Run(s.Name, func(t *testing.T) {
			e, _, bad := event.Parse(s.Body, rules(), now, event.Options{})
			if bad != nil {
				t.Fatal(bad)
			}
			if e.Type.String() != s.Type() {
				t.Fatalf("is a %s", e.Type)
			}
			seen[e.Type]++
		})
	}
	for _, typ := range []event.Type{
		event.Visit, event.Call, event.Message, event.Form, event.Deal, event.Spend, event.Identify, event.NumberLease,
	} {
		if seen[typ] < 2 {
			t.Errorf("%s has %d good samples, two are wanted", typ, seen[typ])
		}
	}
}

func TestBad(t *testing.T) {
	seen := map[event.Code]bool{}
	for _, s := range load(t, Bad) {
		t.Run(s.Name, func(t *testing.T) {
			e, _, bad := event.Parse(s.Body, rules(), now, event.Options{})
			if bad == nil {
				t.Fatalf("accepted as %+v", e)
			}
			if bad.Code != s.Code() {
				t.Fatalf("got %v", bad)
			}
			seen[bad.Code] = true
		})
	}
	for code := range event.Codes {
		if !seen[code] {
			t.Errorf("%s has no bad sample", code)
		}
	}
}
