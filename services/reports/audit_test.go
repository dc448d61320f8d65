package reports

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/internal/clickhouse"
)

// noFacts is a batch path by which nothing stands.
type noFacts struct{}

func (noFacts) Hear(*event.Event)                    {}
func (noFacts) Match() [][2]event.NodeID             { return nil }
func (noFacts) Facts(_ []*event.Event) *fact.Posting { return &fact.Posting{} }

// visitors is a batch path that knows visits alone: each is a touch of the smallest identifier that its person has among the events it is
// handed. It keeps how many it was handed at most, and who was in more than one part.
type visitors struct {
	most  int
	parts map[event.NodeID]int // identifier → part
	split int
	part  int
}

func (v *visitors) Hear(*event.Event)        {}
func (v *visitors) Match() [][2]event.NodeID { return nil }

func (v *visitors) Facts(events []*event.Event) *fact.Posting {
	v.most, v.part = max(v.most, len(events)), v.part+1
	p := &fact.Posting{}
	for _, e := range events {
		for _, n := range e.Nodes {
			if was, ok := v.parts[n.ID]; ok && was != v.part {
				v.split++
			}
			v.parts[n.ID] = v.part
		}
		p.Touches = append(p.Touches, touchOf(e))
	}
	return p
}

func touchOf(e *event.Event) fact.Touch {
	return fact.Touch{Sign: 1, Person: e.Nodes[0].ID, Type: event.Visit, Touchpoint: fact.Touchpoint{
		ID: e.Key(), Time: e.Time, Date: fact.Date(e.Time / 86_400_000), Tuple: fact.Tuple{Channel: "Direct", Source: "s", Medium: "m", Campaign: "c", Content: "x", Term: "t"},
	}}
}

// manyVisits are n visits of n/4 visitors in a chain of persons of ten visitors: a visitor's last visit names the next one too.
func manyVisits(n int, do func(*event.Event)) {
	node := func(i int) event.Node {
		id := event.NodeID{15: 1}
		binary.LittleEndian.PutUint64(id[:], uint64(i+1)*0x9E3779B97F4A7C15)
		return event.Node{Kind: "anonymous_id", ID: id}
	}
	for i := range n {
		visitor := i / 4
		e := &event.Event{
			Workspace: "many", ID: fmt.Sprint("v", i), Source: "site", Type: event.Visit, Time: 1_793_534_400_000 + int64(i)*1000, Content: uint64(i),
			Nodes: []event.Node{node(visitor)}, Visit: &event.VisitData{URL: "https://shop.example/"},
		}
		if i%4 == 3 && visitor%10 != 9 {
			e.Nodes = append(e.Nodes, node(visitor+1))
		}
		do(e)
	}
}

// insertMany stores raw events and their touches as the loader would.
func (s *served) insertMany(n int) {
	raw, err := s.root.PrepareBatch(s.Context(), "INSERT INTO throughline.events_log (workspace, source, id, content, type, time, received_at, node_kinds, node_ids, raw, wire)")
	if err != nil {
		s.Fatal(err)
	}
	touches, err := s.root.PrepareBatch(s.Context(), "INSERT INTO throughline.touches_log (workspace, sign, type, person_id, touch_id, touch_time, touch_date, channel, source, medium, campaign, content, term)")
	if err != nil {
		s.Fatal(err)
	}
	manyVisits(n, func(e *event.Event) {
		var kinds []string
		var ids []uuid.UUID
		for _, node := range e.Nodes {
			kinds, ids = append(kinds, node.Kind), append(ids, uuid.UUID(node.ID))
		}
		at := time.UnixMilli(e.Time).UTC()
		if err := raw.Append(e.Workspace, e.Source, e.ID, e.Content, e.Type.String(), at, at, kinds, ids, "{}", string(e.Append(nil))); err != nil {
			s.Fatal(err)
		}
		t := touchOf(e)
		if err := touches.Append(e.Workspace, int8(1), "visit", uuid.UUID(t.Person), t.ID, at, at, t.Channel, t.Source, t.Medium, t.Campaign, t.Content, t.Term); err != nil {
			s.Fatal(err)
		}
	})
	if err := raw.Send(); err != nil {
		s.Fatal(err)
	}
	if err := touches.Send(); err != nil {
		s.Fatal(err)
	}
}

// The audit of 300,000 events stays within a bound that a few of its parts need, splits no person, and still finds the one row of
// them all that is wrong.
func TestAuditOfManyEvents(t *testing.T) {
	const n, atOnce, bound = 300_000, 10_000, 64 << 20
	s := serve(t)
	s.insertMany(n)
	runtime.GC()
	writer, err := clickhouse.Open(s.writer)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak uint64
	v := &visitors{parts: map[event.NodeID]int{}}
	audit := Audit{Workspace: "many", Recompute: v, AtOnce: atOnce, Progress: func(string) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}}
	percent := debug.SetGCPercent(10) // the heap is then about what lives in it
	result, err := audit.Run(t.Context(), writer)
	debug.SetGCPercent(percent)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events in %d parts of at most %d; the heap grew by at most %d MiB", result.Events, v.part, v.most, (peak-before.HeapAlloc)>>20)
	if result.Differences != 0 || result.Events != n {
		t.Errorf("%+v", result)
	}
	if v.most > 2*atOnce || v.split != 0 {
		t.Errorf("%d events at once, %d identifiers in two parts", v.most, v.split)
	}
	if grew := peak - before.HeapAlloc; peak > before.HeapAlloc && grew > bound {
		t.Errorf("the heap grew by %d MiB", grew>>20)
	}
	touches := slices.IndexFunc(result.Checks, func(c Check) bool { return c.Name == "touches against raw events" })
	if result.Checks[touches].Compared != n {
		t.Errorf("%+v", result.Checks[touches])
	}
	s.insert(`INSERT INTO throughline.touches_log (workspace, sign, type, person_id, touch_id, touch_time, touch_date, channel, source, medium, campaign, content, term)
		SELECT workspace, 1, type, person_id, 'site/stray', touch_time, touch_date, channel, source, medium, campaign, content, term FROM throughline.touches_log WHERE touch_id = 'site/v777'`)
	v.parts, v.part = map[event.NodeID]int{}, 0
	for _, row := range []struct {
		name, from, to string
		differences    int
	}{{"", "", "", 1}, {"before it", "", "2026-10-31", 0}, {"its day", "2026-11-01", "2026-11-01", 1}, {"after it", "2026-11-02", "", 0}} {
		audit.From, audit.To = row.from, row.to
		result, err := audit.Run(t.Context(), writer)
		if err != nil {
			t.Fatal(err)
		}
		c := result.Checks[touches]
		if c.Differences != row.differences || row.differences > 0 && (!strings.Contains(c.Rows[0], "site/stray") || !strings.Contains(c.Rows[0], "stands [1], recomputed []")) {
			t.Errorf("%s: %+v", row.name, c)
		}
	}
}

func TestUnion(t *testing.T) {
	u := &union{}
	const n = 50_000
	for i := uint64(1); i < n; i++ {
		if i%7 != 0 {
			u.join(i*0x9E3779B97F4A7C15|1, (i+1)*0x9E3779B97F4A7C15|1)
		}
	}
	roots := map[int]int{}
	for i := uint64(1); i <= n; i++ {
		roots[u.root(u.add(i*0x9E3779B97F4A7C15|1))]++
	}
	if want := n/7 + 1; len(roots) != want {
		t.Errorf("%d persons, want %d", len(roots), want)
	}
	for _, size := range roots {
		if size > 7 {
			t.Errorf("%d in one", size)
		}
	}
}

// A row that nothing explains is named, whatever its table and with its columns at their defaults, NULL among them.
func TestAuditNamesStrayRows(t *testing.T) {
	s := serve(t)
	writer, err := clickhouse.Open(s.writer)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	tables := map[string]string{"credits": "1 AS revenue", "spend_log": "1 AS sign, 1 AS amount", "deal_steps_log": "1 AS sign, [1, 0, 0, 0, 0, 0, 0] AS shares"}
	for _, table := range []string{"touches_log", "inquiries_log", "deals_log", "deal_stages_log", "conversations_log", "calls_log", "identities_log"} {
		tables[table] = "1 AS sign"
	}
	name := regexp.MustCompile(` AS (\w+)`)
	for table, values := range tables {
		var names []string
		for _, m := range name.FindAllStringSubmatch(values, -1) {
			names = append(names, m[1])
		}
		s.insert(fmt.Sprintf("INSERT INTO throughline.%s (workspace, %s) SELECT 'stray', %s", table, strings.Join(names, ", "), values))
	}
	result, err := Audit{Workspace: "stray", Recompute: &visitors{parts: map[event.NodeID]int{}}, AtOnce: 100}.Run(t.Context(), writer)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, c := range result.Checks {
		if strings.HasSuffix(c.Name, "against raw events") {
			if named++; c.Differences == 0 || len(c.Rows) == 0 {
				t.Errorf("%+v", c)
			}
		}
	}
	if named != len(tables)+1 { // and channel_daily, which is filled from them
		t.Errorf("%d tables are compared with the raw events, %d have a stray row", named, len(tables)+1)
	}
}
