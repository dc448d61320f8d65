package stitcher

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	exact "github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

// sourceLedger is samples/ledger.yaml of a source: what its samples must give together, worked out by hand in the README beside it.
type sourceLedger struct {
	Workspace struct {
		Timezone, Currency, Country string
		FX                          map[string]string         `yaml:"fx"`
		StaticNumbers               map[string]workspaceTuple `yaml:"static_numbers"`
		Pools                       []any                     `yaml:"pools"`
	}
	Send   []string
	Extra  []map[string]any
	Expect map[string][]ledgerRow
	Calls  map[string]int
}

type workspaceTuple struct{ Source, Medium, Campaign string }

type ledgerRow struct {
	Channel, Source, Medium, Campaign string
	Inquiries, Deals, Sales, Revenue  string
	CostOfGoods                       string `yaml:"cost_of_goods"`
	Visits, Spend                     string
}

func (r *ledgerRow) key() string {
	return strings.Join([]string{r.Channel, r.Source, r.Medium, r.Campaign}, " | ")
}

func (r *ledgerRow) values(t *testing.T) string {
	var out []string
	for _, v := range []string{r.Visits, r.Inquiries, r.Deals, r.Sales, r.Revenue, r.CostOfGoods, r.Spend} {
		d := exact.Zero
		if v != "" {
			var err error
			if d, err = exact.NewFromString(v); err != nil {
				t.Fatalf("%q: %v", v, err)
			}
		}
		out = append(out, d.String())
	}
	return strings.Join(out, " ")
}

// TestSourceLedgers computes the ledger of every source's samples by the batch path and compares it with what was worked out by hand.
// The engines get the same samples in services/e2e; here it takes no second.
func TestSourceLedgers(t *testing.T) {
	files, err := filepath.Glob("../../pipelines/sources/*/samples/ledger.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no source has a ledger:", err)
	}
	for _, file := range files {
		folder := filepath.Dir(file)
		t.Run(filepath.Base(filepath.Dir(folder)), func(t *testing.T) { playSourceLedger(t, folder, file) })
	}
}

func playSourceLedger(t *testing.T, folder, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var l sourceLedger
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&l); err != nil {
		t.Fatal(err)
	}
	ws := l.workspace(t, text)
	events := map[string]*event.Event{}
	raw := map[string][]byte{}
	take := func(from string, value any) {
		b, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		e, _, bad := event.Parse(b, ws.EventRules(), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), event.Options{})
		if bad != nil {
			t.Fatalf("%s: %s: %v", from, b, bad)
		}
		e.Workspace = "w"
		if before := raw[e.Key()]; before != nil && !bytes.Equal(before, b) {
			t.Errorf("%s: the same id with another content:\n  %s\n  %s", from, before, b)
		}
		events[e.Key()], raw[e.Key()] = &e, b
	}
	for _, name := range l.samples(t, folder) {
		b, err := os.ReadFile(filepath.Join(folder, name+".events.json"))
		if err != nil {
			t.Fatal(err)
		}
		var list []map[string]any
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if err := dec.Decode(&list); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, e := range list {
			take(name, e)
		}
	}
	for _, e := range l.Extra {
		take("extra", e)
	}
	rules := rulesOf(ws)
	p := journey.Batch(slices.Collect(maps.Values(events)), rules)
	for _, name := range slices.Sorted(maps.Keys(l.Expect)) {
		want := map[string]string{}
		for i := range l.Expect[name] {
			r := &l.Expect[name][i]
			want[r.key()] = r.values(t)
		}
		got := sumLedger(p, name)
		for _, k := range slices.Sorted(maps.Keys(got)) {
			if want[k] != got[k] {
				t.Errorf("%s: %s: visits, inquiries, deals, sales, revenue, cost, spend:\n  got  %s\n  want %s", name, k, got[k], want[k])
			}
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if got[k] == "" {
				t.Errorf("%s: %s: nothing stands, want %s", name, k, want[k])
			}
		}
	}
}

func (l *sourceLedger) workspace(t *testing.T, text []byte) *workspace.Workspace {
	var as struct{ Workspace workspace.Workspace }
	if err := yaml.Unmarshal(text, &as); err != nil {
		t.Fatal(err)
	}
	w := &as.Workspace
	w.Name, w.Pepper = "w", "pepper"
	if err := w.Validate(); err != nil {
		t.Fatal(err)
	}
	return w
}

// samples are those to be sent: all that become events, unless the ledger says which.
func (l *sourceLedger) samples(t *testing.T, folder string) []string {
	if len(l.Send) > 0 {
		return l.Send
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.events.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".events.json"))
	}
	return names
}

// sumLedger is what stands of one model, by channel, source, medium and campaign.
func sumLedger(p *fact.Posting, model string) map[string]string {
	type sums struct{ visits, inquiries, deals, sales, revenue, cost, spend int64 }
	all := map[string]*sums{}
	of := func(t fact.Tuple) *sums {
		k := strings.Join([]string{t.Channel, t.Source, t.Medium, t.Campaign}, " | ")
		if all[k] == nil {
			all[k] = &sums{}
		}
		return all[k]
	}
	for _, c := range p.Credits {
		if c.Model.String() != model {
			continue
		}
		s := of(p.Touchpoints[c.Touch].Tuple)
		switch p.Bookings[c.Booking].Conversion {
		case fact.Inquiry:
			s.inquiries += c.Conversions
		case fact.Deal:
			s.deals += c.Conversions
		case fact.Sale:
			s.sales += c.Conversions
		}
		s.revenue, s.cost = s.revenue+c.Revenue, s.cost+c.CostOfGoods
	}
	for _, t := range p.Touches {
		if t.Type == event.Visit {
			of(t.Tuple).visits += int64(t.Sign)
		}
	}
	for _, s := range p.Spends {
		of(s.Tuple).spend += int64(s.Sign) * s.Amount
	}
	out := map[string]string{}
	for k, s := range all {
		if *s == (sums{}) {
			continue
		}
		var values []string
		for _, v := range []struct {
			v      int64
			places int32
		}{{s.visits, 0}, {s.inquiries, 6}, {s.deals, 6}, {s.sales, 6}, {s.revenue, 2}, {s.cost, 2}, {s.spend, 2}} {
			values = append(values, exact.New(v.v, -v.places).String())
		}
		out[k] = strings.Join(values, " ")
	}
	return out
}
