package intake

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
)

const definition = `
name: leads
title: Leads
about: Rows of leads.
entries:
  - name: rows
    kind: file
    makes: [form]
    read: {format: ndjson}
    map: |
      if .fail then error("no lead: \(.phone)") else (.times // [.time])[] as $t | {id: "\(.id)-\($t)", type: "form", time: $t, identities: {phone: .phone}, form: {form_id: "x"}} end
`

func source(t *testing.T, contacts bool) *Source {
	t.Helper()
	list, err := sources.Load(fstest.MapFS{"leads/source.yaml": {Data: []byte(definition)}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	w := []workspace.Workspace{{
		Name: "shop", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "0123456789abcdef", StoreContacts: contacts,
		Keys: []workspace.Key{{Name: "k", Secret: "sk_shop"}}, Sources: []workspace.Source{{Name: "old-leads", Source: "leads"}},
	}}
	if err := workspace.Validate(w); err != nil {
		t.Fatal(err)
	}
	set, err := sources.Bind(list, w)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := list[0].Entry("rows")
	return NewSource(set.Instances[0], e, "test", 0)
}

func item(t *testing.T, text string) items.Item {
	t.Helper()
	v, err := delivery.Value(json.RawMessage(text))
	if err != nil {
		t.Fatal(err)
	}
	return items.Item{Value: v, Place: items.Place{File: "f", Line: 7, Index: 6}}
}

var now = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)

// TestItem: good events of an item come in though others of it are bad; the item is then a letter that can be run again.
func TestItem(t *testing.T) {
	for _, row := range []struct {
		name, item string
		events     int
		code       event.Code
		says       string
	}{
		{"good", `{"id":1,"time":"2026-10-01T10:00:00Z","phone":"+48501000001"}`, 1, "", ""},
		{"one of two", `{"id":1,"times":["2026-10-01T10:00:00Z","yesterday"],"phone":"+48501000001"}`, 1, event.BadTime, "event 2 of 2"},
		{"bad", `{"id":1,"time":"yesterday","phone":"+48501000001"}`, 0, event.BadTime, ""},
		{"no mapping", `{"fail":true,"phone":"+48501000001"}`, 0, deadletter.Unmapped, "no lead: "},
	} {
		for _, contacts := range []bool{false, true} {
			t.Run(row.name, func(t *testing.T) {
				s := source(t, contacts)
				it := item(t, row.item)
				m, err := s.Item(context.Background(), it, s.Instance.Variables(s.Entry, now), now)
				if err != nil {
					t.Fatal(err)
				}
				if len(m.Events) != row.events || (m.Letter != nil) != (row.code != "") {
					t.Fatalf("%d events, letter %+v", len(m.Events), m.Letter)
				}
				if m.Letter == nil {
					return
				}
				if m.Bad.Code != row.code || !strings.Contains(m.Bad.Message, row.says) {
					t.Errorf("%v", m.Bad)
				}
				checkLetter(t, s, m.Letter, row.item, contacts)
			})
		}
	}
}

func checkLetter(t *testing.T, s *Source, l *deadletter.Letter, sent string, contacts bool) {
	t.Helper()
	if l.Source == nil || l.Source.Instance != "old-leads" || l.Source.Version != s.Instance.Source.Version || l.Key != "test" || l.Index != 6 {
		t.Errorf("%+v", l)
	}
	b, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !contacts && strings.Contains(string(b), "501000001") {
		t.Errorf("the phone can be read in %s", b)
	}
	body, err := l.Open([]byte(s.Instance.Workspace.Pepper))
	if err != nil {
		t.Fatal(err)
	}
	p, err := delivery.DecodeParcel(body)
	if err != nil {
		t.Fatal(err)
	}
	want, got := item(t, sent).Value, item(t, string(p.Item)).Value
	if a, b := mustJSON(t, want), mustJSON(t, got); a != b {
		t.Errorf("the parcel has %s, sent was %s", b, a)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestItemOfACutRunIsNoLetter(t *testing.T) {
	s := source(t, false)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if m, err := s.Item(ctx, item(t, `{}`), s.Instance.Variables(s.Entry, now), now); !errors.Is(err, context.Canceled) || m.Letter != nil {
		t.Errorf("%v, %+v", err, m)
	}
}

// TestWhatCannotBeRead has its place and its reason.
func TestWhatCannotBeRead(t *testing.T) {
	s := source(t, false)
	var m Made
	fault := &items.Fault{Place: items.Place{File: "f", Line: 3, Index: 2}, Err: errors.New(`column amount: "x@shop.example" is no number`)}
	if err := s.Bury(&m, items.Item{Place: fault.Place}, s.Instance.Variables(s.Entry, now), fault, now); err != nil {
		t.Fatal(err)
	}
	if m.Letter.Code != deadletter.Unreadable || m.Letter.Index != 2 || strings.Contains(m.Letter.Message, "@") || !strings.Contains(m.Letter.Message, "column amount") {
		t.Errorf("%+v", m.Letter)
	}
	body, err := m.Letter.Open([]byte(s.Instance.Workspace.Pepper))
	if err != nil || !strings.Contains(string(body), `"line":3`) {
		t.Errorf("%s, %v", body, err)
	}
}

// TestRecords: the home decides the partition of an event, the workspace that of a letter, the instance that of a fetch.
func TestRecords(t *testing.T) {
	s := source(t, false)
	topics := &Topics{Prefix: "p.", Events: 12, Dead: 3, Fetches: 5}
	m, err := s.Item(context.Background(), item(t, `{"id":1,"time":"2026-10-01T10:00:00Z","phone":"+48501000001"}`), s.Instance.Variables(s.Entry, now), now)
	if err != nil {
		t.Fatal(err)
	}
	e := &m.Events[0]
	r := topics.Event(e)
	if want := pipelines.Partition(e.Nodes[0].ID, 12); r.Topic != "p."+pipelines.TopicEvents || r.Partition != want || string(r.Key) != string(e.Nodes[0].ID[:]) {
		t.Errorf("%+v", r)
	}
	l, err := topics.Letter(&deadletter.Letter{Workspace: "shop"})
	if err != nil || l.Topic != "p."+pipelines.TopicDead || string(l.Key) != "shop" || l.Partition >= 3 {
		t.Errorf("%+v, %v", l, err)
	}
	f, err := topics.Fetch(&delivery.Fetch{Workspace: "shop", Source: By(s.Instance, s.Entry)})
	if err != nil || f.Topic != "p."+pipelines.TopicFetches || string(f.Key) != "shop/old-leads" || f.Partition >= 5 {
		t.Errorf("%+v, %v", f, err)
	}
}
