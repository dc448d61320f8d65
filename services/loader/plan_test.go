package loader

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func record(topic string, partition int32, offset int64) item {
	return item{record: &kgo.Record{Topic: topic, Partition: partition, Offset: offset}}
}

func TestAPlanIsAFunctionOfTheSetOfRecords(t *testing.T) {
	records := []item{
		record("facts", 0, 41), record("events", 3, 7), record("facts", 0, 40), record("events", 11, 0), record("events", 3, 9), record("facts", 0, 42),
	}
	const want = "v1 events 3:7+2 11:0+0 facts 0:40+2"
	for range len(records) {
		records = append(records[1:], records[0])
		if got := planOf(records).String(); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	inOrder(records)
	var order []string
	for _, i := range records {
		order = append(order, fmt.Sprintf("%s/%d/%d", i.record.Topic, i.record.Partition, i.record.Offset))
	}
	if got := strings.Join(order, " "); got != "events/3/7 events/3/9 events/11/0 facts/0/40 facts/0/41 facts/0/42" {
		t.Errorf("order of rows: %s", got)
	}
}

func TestALongPlanIsCutIntoParts(t *testing.T) {
	var items []item
	for partition := range int32(500) {
		items = append(items, record("throughline.facts.v1", partition, 123_456_789_012), record("throughline.facts.v1", partition, 123_456_799_999))
	}
	parts := planOf(items).parts(maxMetadata)
	seen := 0
	for _, p := range parts {
		if n := len(p.String()); n > maxMetadata {
			t.Errorf("a part of %d bytes", n)
		}
		mine := within(items, p)
		if got := planOf(mine).String(); got != p.String() {
			t.Errorf("the part's records make the plan %q, not %q", got, p)
		}
		seen += len(mine)
	}
	if seen != len(items) || len(parts) < 2 {
		t.Errorf("%d parts hold %d of %d records", len(parts), seen, len(items))
	}
}

func TestPlansAreReadBack(t *testing.T) {
	for _, tc := range []struct{ name, text string }{
		{"one record", "v1 facts 0:0+0"},
		{"two topics", "v1 events 3:7+2 11:0+0 facts 0:40+2"},
		{"large offsets", "v1 throughline.facts.v1 2147483647:9223372036854770000+5000"},
		{"a prefix with dots", "v1 test-1.throughline.events.v1 0:1+1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := parsePlan(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if p.String() != tc.text {
				t.Errorf("read back as %q", p)
			}
		})
	}
}

func TestPlansThatCannotBeReadAreErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"another program's metadata", "hello", "version"},
		{"a later version", "v2 facts 0:0+0", "version"},
		{"no topic", "v1 0:0+0", "span"},
		{"no length", "v1 facts 0:5", "invalid syntax"},
		{"a partition below zero", "v1 facts -1:5+0", "span"},
		{"an offset below zero", "v1 facts 1:-5+0", "span"},
		{"no number", "v1 facts a:5+0", "invalid syntax"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if p, err := parsePlan(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("read as %v, %v", p, err)
			}
		})
	}
	if p, err := parsePlan(""); p != nil || err != nil {
		t.Errorf("nothing planned: %v, %v", p, err)
	}
}

func TestTokensTellPlansApart(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{
		"v1 facts 0:0+0", "v1 facts 0:0+1", "v1 facts 0:1+0", "v1 facts 1:0+0", "v1 events 0:0+0", "v1 events 0:0+0 facts 0:0+0",
	} {
		p, err := parsePlan(text)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[p.token()]; ok {
			t.Errorf("%q and %q share a token", text, other)
		}
		seen[p.token()] = text
	}
}

// The plan of these rows covers facts/0 from 10 to 19 and facts/1 from 5 to 5.
func TestJudge(t *testing.T) {
	const text, next = "v1 facts 0:10+9 1:5+0", "v1 facts 0:20+3 1:6+1"
	p, err := parsePlan(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name      string
		zero, one standing
		want      verdict
	}{
		{"ended after the plan was committed", standing{10, text}, standing{5, text}, repeat},
		{"ended after all was inserted", standing{10, text}, standing{5, text}, repeat},
		{"the other partition went on, with nothing planned", standing{10, text}, standing{6, ""}, over},
		{"the other partition went on, to its next plan", standing{10, text}, standing{6, next}, over},
		{"the other partition went far", standing{10, text}, standing{600, ""}, over},
		{"the first partition went on", standing{20, ""}, standing{5, text}, over},
		{"the plan was refused for one partition", standing{10, text}, standing{5, ""}, discard},
		{"the plan was refused for a partition without offset", standing{10, text}, standing{offset: -1}, discard},
		{"a partition stands within the plan", standing{15, ""}, standing{5, text}, discard},
		{"a partition has another plan at the same place", standing{10, "v1 facts 0:10+3"}, standing{5, text}, discard},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := judge(p, func(_ string, partition int32) standing {
				return []standing{tc.zero, tc.one}[partition]
			})
			if got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}
