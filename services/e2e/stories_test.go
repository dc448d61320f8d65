package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/throughline-io/throughline/schemas/fact"
	reader "github.com/throughline-io/throughline/services/internal/kafka"
)

const models = 7

// workspaceConfig is one of the configuration's, with what the stories need.
func workspaceConfig(name, more string) string {
	return fmt.Sprintf(`  - name: %s
    timezone: Europe/Warsaw
    currency: EUR
    country: PL
    pepper: not-a-secret
    fx: {USD: "0.92"}
    keys: [{name: all, secret: sk_%s}]
    static_numbers: {"+48221112233": {source: radio, medium: call}}
    pools: [{name: site, numbers: ["+48221110001"]}]
%s`, name, name, more)
}

// TestStories sends random stories, a workspace each, with the system killed in the middle, and expects the ledger of the
// batch path and the CRM's own totals; a second, independent client must read the same sums from Kafka. Then the configuration
// changes, and the ledger must be that of the new one.
func TestStories(t *testing.T) {
	t.Parallel() // most of it is waiting
	const n = 10
	list := "workspaces:\n"
	stories := map[string]*story{}
	for i := range n {
		name := fmt.Sprintf("story%d", i)
		stories[name] = newStory(uint64(i), 150+i*20)
		list += workspaceConfig(name, "")
	}
	s := newSystem(t, 5, list)
	for name, st := range stories {
		s.send("sk_"+name, st.lines, 40)
		if name == "story3" || name == "story7" {
			s.kill()
			s.start()
		}
	}
	s.drain()
	s.auditClean()
	totals := s.totals(t, stories)
	s.funnelIsNaive(t, slices.Sorted(maps.Keys(stories)))

	t.Run("a second client", func(t *testing.T) {
		for key, cents := range s.readFacts(t) {
			if totals[key] != cents {
				t.Errorf("%s: kafka-go sums %d cents, ClickHouse %d", key, cents, totals[key])
			}
		}
	})

	t.Run("a workspace is taken out", func(t *testing.T) {
		const out = "story4"
		s.stop()
		rest := "workspaces:\n"
		for name := range stories {
			if name != out {
				rest += workspaceConfig(name, "")
			}
		}
		s.configure(5, rest)
		s.start()
		s.send("sk_story0", []string{`{"id":"later","type":"visit","source":"site","time":"2026-08-01T10:00:00Z","identities":{"anonymous_id":"browser-0-0"},"visit":{"url":"https://shop.example/"}}`}, 1)
		s.drain()
		s.auditClean()
		if got := s.totals(t, map[string]*story{out: stories[out]}); got[out+" linear"] != totals[out+" linear"] {
			t.Errorf("what it has does not stand: %v", got)
		}
	})

	t.Run("another configuration", func(t *testing.T) {
		s.stop()
		changed := "workspaces:\n"
		for name := range stories {
			changed += strings.Replace(workspaceConfig(name, "    lookback: 168h\n    max_touches: 3\n    channels: [{name: Blog, source: blog.example.org}]\n"), `"0.92"`, `"0.50"`, 1)
		}
		s.configure(5, changed)
		s.start()
		s.send("sk_story0", []string{`{"id":"late","type":"visit","source":"site","time":"2026-08-02T10:00:00Z","identities":{"anonymous_id":"browser-0-0"},"visit":{"url":"https://shop.example/"}}`}, 1)
		s.drain()
		s.auditClean()
		s.funnelIsNaive(t, slices.Sorted(maps.Keys(stories)))
		if rows := s.query(t, `SELECT count() FROM throughline.credits WHERE cause_type = 'rebuild'`); rows[0] == "0" {
			t.Error("nothing was rebuilt")
		}
		if rows := s.query(t, `SELECT count() FROM throughline.touches WHERE channel = 'Blog'`); rows[0] == "0" {
			t.Error("no touch is in the channel of the new rule")
		}
	})
}

// totals checks that every model's sales are the CRM's, and returns them by workspace and model.
func (s *system) totals(t *testing.T, stories map[string]*story) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for name, st := range stories {
		deals, cents := st.won()
		rows := s.query(t, `SELECT model, toInt64(sum(conversions) * 1000000), toInt64(sum(revenue) * 100) FROM throughline.credits
			WHERE conversion = 'sale' AND workspace = '`+name+`' GROUP BY model HAVING sum(conversions) != 0 OR sum(revenue) != 0`)
		if want := models; deals == 0 {
			want = 0
			if len(rows) != want {
				t.Errorf("%s: sales without a won deal: %v", name, rows)
			}
		} else if len(rows) != want {
			t.Errorf("%s: %d models have sales, want %d", name, len(rows), want)
		}
		for _, row := range rows {
			f := strings.Split(row, "\t")
			count, revenue := number(t, f[1]), number(t, f[2])
			out[name+" "+f[0]] = revenue
			if count != deals*1_000_000 || revenue != cents {
				t.Errorf("%s %s: %d millionths of %d cents; the CRM has %d deals of %d cents", name, f[0], count, revenue, deals, cents)
			}
		}
	}
	return out
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// readFacts sums the sales of the facts topic, by workspace and model, with kafka-go.
func (s *system) readFacts(t *testing.T) map[string]int64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const topic = "throughline.facts.v1"
	conn, err := kafka.DialContext(ctx, "tcp", s.addr.Brokers[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	partitions, err := conn.ReadPartitions(topic)
	if err != nil {
		t.Fatal(err)
	}
	sums, postings := map[string]int64{}, 0
	for _, p := range partitions {
		leader, err := kafka.DialLeader(ctx, "tcp", s.addr.Brokers[0], topic, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		end, err := leader.ReadLastOffset()
		if err := errors.Join(err, leader.Close()); err != nil {
			t.Fatal(err)
		}
		if end == 0 {
			continue
		}
		if err := reader.ReadCommitted(ctx, s.addr.Brokers[0], topic, p.ID, 0, end, func(r reader.Record) error {
			posting, err := fact.Decode(r.Value)
			if err != nil {
				return err
			}
			postings++
			for _, c := range posting.Credits {
				if posting.Bookings[c.Booking].Conversion == fact.Sale {
					sums[posting.Workspace+" "+c.Model.String()] += c.Revenue
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if postings == 0 {
		t.Fatal("kafka-go read no posting")
	}
	return sums
}
