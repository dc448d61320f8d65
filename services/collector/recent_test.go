package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/throughline-io/throughline/pipelines"
)

// TestDuplicates is a sender that repeats itself; accepted, duplicates and rejected add up to all items.
func TestDuplicates(t *testing.T) {
	d := open(t)
	other := strings.Replace(visit("1"), "10:00:00", "11:00:00", 1)
	for _, row := range []struct {
		name, key, body      string
		accepted, duplicates int
		rejected, events     int
	}{
		{"once and again in a request", "sk_shop", visit("1") + visit("1") + visit("2"), 2, 1, 0, 2},
		{"again in another request", "sk_shop", visit("2") + visit("3"), 1, 1, 0, 3},
		{"the same in other words", "sk_shop", strings.ReplaceAll(visit("3"), ",", ", "), 0, 1, 0, 3},
		{"the same id with other content is let through", "sk_shop", other, 1, 0, 0, 4},
		{"both are known now", "sk_shop", visit("1") + other, 0, 2, 0, 4},
		{"another workspace", "sk_open", visit("1"), 1, 0, 0, 5},
		{"beside a bad one", "sk_shop", visit("1") + wrong("9"), 0, 1, 1, 5},
		{"a bad one is no duplicate", "sk_shop", visit("4") + wrong("9") + wrong("9"), 1, 0, 2, 6},
	} {
		r := d.post([]byte(row.body), "Authorization", "Bearer "+row.key)
		if r.status != 202 || r.Accepted != row.accepted || r.Duplicates != row.duplicates || len(r.Rejected) != row.rejected {
			t.Errorf("%s: %d, %s", row.name, r.status, r.text)
		}
		if n := len(d.records(pipelines.TopicEvents)); n != row.events {
			t.Errorf("%s: Kafka has %d events, want %d", row.name, n, row.events)
		}
	}
}

func TestRecentForgetsTheOldest(t *testing.T) {
	r := newRecent(3)
	for i := range uint64(5) {
		r.add(seen{i, 1})
		r.add(seen{i, 1}) // again: takes no second place
	}
	for i, want := range []bool{false, false, true, true, true} {
		if got := r.has(seen{uint64(i), 1}); got != want {
			t.Errorf("%d: %t", i, got)
		}
	}
	if r.has(seen{4, 2}) || len(r.have) != 3 {
		t.Errorf("it has %v", r.have)
	}
	none := newRecent(0)
	none.add(seen{1, 1})
	if none.has(seen{1, 1}) {
		t.Error("what should remember nothing does")
	}
}

func TestConfigReportsEveryFault(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
	err := Config{Linger: -1, Recent: -1}.Validate()
	for _, field := range []string{
		"max_requests: 0", "max_body_bytes: 0", "max_buffered_records: 0", "max_buffered_bytes: 0", "delivery_timeout: 0", "linger: -1", "max_ahead: 0", "recent: -1",
	} {
		if !strings.Contains(fmt.Sprint(err), field) {
			t.Errorf("%s is not reported: %v", field, err)
		}
	}
}
