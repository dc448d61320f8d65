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
		{"ended after the plan was committed", standing{offset: 10, plan: text}, standing{offset: 5, plan: text}, repeat},
		{"ended after all was inserted", standing{offset: 10, plan: text}, standing{offset: 5, plan: text}, repeat},
		{"the other partition went on, with nothing planned", standing{offset: 10, plan: text}, standing{offset: 6, plan: ""}, over},
		{"the other partition went on, to its next plan", standing{offset: 10, plan: text}, standing{offset: 6, plan: next}, over},
		{"the other partition went far", standing{offset: 10, plan: text}, standing{offset: 600, plan: ""}, over},
		{"the first partition went on", standing{offset: 20, plan: ""}, standing{offset: 5, plan: text}, over},
		{"the plan was refused for one partition", standing{offset: 10, plan: text}, standing{offset: 5, plan: ""}, discard},
		{"the plan was refused for a partition without offset", standing{offset: 10, plan: text}, standing{offset: -1}, discard},
		{"a partition stands within the plan", standing{offset: 15, plan: ""}, standing{offset: 5, plan: text}, discard},
		{"a partition has another plan at the same place", standing{offset: 10, plan: "v1 facts 0:10+3"}, standing{offset: 5, plan: text}, discard},
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

// The plan is of offsets 10 to 19.
func TestTheFurtherOneStands(t *testing.T) {
	const text, older, newer = "v1 facts 0:10+9", "v1 facts 0:4+2", "v1 facts 0:20+3"
	for _, tc := range []struct {
		name        string
		note        note
		group, want standing
	}{
		{"nothing is noted", note{}, standing{offset: 10, plan: text}, standing{offset: 10, plan: text}},
		{"nothing is known", note{}, standing{offset: -1}, standing{offset: -1}},
		{"the plan is being loaded", note{20, text}, standing{offset: 10, plan: text}, standing{offset: 10, plan: text}},
		{"it is loaded", note{20, text}, standing{offset: 20}, standing{offset: 20}},
		{"the next one is planned", note{20, text}, standing{offset: 20, plan: newer}, standing{offset: 20, plan: newer}},
		{"the group has an older plan", note{20, text}, standing{offset: 4, plan: older}, standing{offset: 19, plan: text, behind: true}},
		{"the group has an older offset", note{20, text}, standing{offset: 7}, standing{offset: 19, plan: text, behind: true}},
		{"the group has lost the plan", note{20, text}, standing{offset: 10}, standing{offset: 19, plan: text, behind: true}},
		{"the group knows nothing", note{20, text}, standing{offset: -1}, standing{offset: 19, plan: text, behind: true}},
		{"the group has a plan that is loaded", note{20, ""}, standing{offset: 10, plan: text}, standing{offset: 20, behind: true}},
		{"the group knows nothing of what is loaded", note{20, ""}, standing{offset: -1}, standing{offset: 20, behind: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.note.further(tc.group); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}
