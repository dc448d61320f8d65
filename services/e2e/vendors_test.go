package e2e

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// vendorWays are the orders in which everything is sent, twice.
var vendorWays = []string{"forward", "backward", "mixed"}

// TestVendors sends the samples of every shipped source as the vendor does, with events of others that they are joined with: in their
// natural order, backwards and mixed, everything twice, a forged request behind each. The ledger must be the one that was worked out by
// hand, in each way, and what was forged must be counted by reason and have changed nothing.
func TestVendors(t *testing.T) {
	list := vendors(t)
	asked := newStubVendor(t)
	var workspaces []map[string]any
	for _, v := range list {
		for _, way := range vendorWays {
			workspaces = append(workspaces, v.workspace(v.Name+"_"+way, asked))
		}
	}
	text, set := vendorConfig(t, workspaces)
	can := commands{imports: has("import"), pulls: has("puller")}
	plays := map[string]*play{}
	for _, v := range list {
		for _, way := range vendorWays {
			name := v.Name + "_" + way
			instance, ok := set.Named(name, v.Name)
			if !ok {
				t.Fatalf("%s has no instance", name)
			}
			asked.learn(v, instance)
			plays[name] = &play{v: v, name: name, way: way, instance: instance, can: can, vendor: asked, refused: map[string]int{}}
		}
	}
	s := newSystem(t, 6, text)
	t.Run("send", func(t *testing.T) {
		for _, p := range plays {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				p.t, p.s = t, s
				p.run(p.ordered())
			})
		}
	})
	s.drain()
	if can.pulls {
		awaitVendors(t, plays)
	}
	metrics := s.metrics(t)
	for _, name := range slices.Sorted(maps.Keys(plays)) {
		t.Run(name, func(t *testing.T) { plays[name].check(t, metrics) })
	}
	for asked := range asked.unknown {
		t.Errorf("a vendor was asked what no sample answers: %s", asked)
	}
	unknown := 0
	for _, p := range plays {
		unknown += p.refused[unknownKey]
	}
	if got := metrics[`throughline_sources_refused_total{reason="unknown_key",source="",workspace=""}`]; got != float64(unknown) {
		t.Errorf("%v requests were refused as unknown_key, want %d", got, unknown)
	}
	for _, w := range s.auditClean().Workspaces {
		if w.Conflicts != 0 {
			t.Errorf("%s: %d events have an id of another content: what stands would depend on which came first", w.Workspace, w.Conflicts)
		}
	}
}

// awaitVendors waits until what vendors are asked for has come, which nobody is told of: until the ledgers are right, or for so long that
// they never will be.
func awaitVendors(t *testing.T, plays map[string]*play) {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); <-time.After(200 * time.Millisecond) {
		all := true
		for _, p := range plays {
			all = all && p.right(t)
		}
		if all {
			return
		}
	}
}

// right reports that every model has what was worked out by hand.
func (p *play) right(t *testing.T) bool {
	for model := range p.v.ledger.Expect {
		got, want := p.cells(t, model), p.want(t, model)
		if !slices.Equal(got, want) {
			return false
		}
	}
	return true
}

func (p *play) want(t *testing.T, model string) (want []string) {
	for _, c := range p.v.ledger.Expect[model] {
		want = append(want, c.row(t))
	}
	slices.Sort(want)
	return want
}

// has reports that the program under test has a command.
func has(command string) bool { return exec.Command(program, command, "--help").Run() == nil }

// check compares what stands with the ledger that was worked out by hand.
func (p *play) check(t *testing.T, metrics map[string]float64) {
	for _, model := range slices.Sorted(maps.Keys(p.v.ledger.Expect)) {
		got, want := p.cells(t, model), p.want(t, model)
		if !slices.Equal(got, want) {
			t.Errorf("%s: channel | source | medium | campaign | visits, inquiries, deals, sales, revenue, cost of goods, spend:\n got\n  %s\nwant\n  %s",
				model, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
	for match, want := range p.v.ledger.Calls {
		got := strings.Join(p.s.query(t, fmt.Sprintf("SELECT count() FROM throughline.calls WHERE workspace = '%s' AND match = '%s'", p.name, match)), "")
		if got != strconv.Itoa(want) {
			t.Errorf("calls: %s are %s, want %d", match, got, want)
		}
	}
	for reason, want := range p.refused {
		if reason == unknownKey {
			continue
		}
		got := metrics[fmt.Sprintf(`throughline_sources_refused_total{reason=%q,source=%q,workspace=%q}`, reason, p.v.Name, p.name)]
		if got != float64(want) {
			t.Errorf("%v requests were refused as %s, want %d", got, reason, want)
		}
	}
	bad := 0.0
	for name, n := range metrics {
		of := fmt.Sprintf(`source=%q,workspace=%q}`, p.v.Name, p.name)
		if rest, ok := strings.CutPrefix(name, `throughline_sources_items_total{result="`); ok && strings.HasSuffix(rest, of) {
			if result, _, _ := strings.Cut(rest, `"`); !slices.Contains([]string{"mapped", "fetched", "silent"}, result) {
				bad += n
			}
		}
	}
	if bad != float64(p.bad) {
		t.Errorf("%v items became dead letters, want %d", bad, p.bad)
	}
}

// cells are what stands of a model, each cell that is not zero.
func (p *play) cells(t *testing.T, model string) []string {
	t.Helper()
	rows := p.s.query(t, fmt.Sprintf(`SELECT channel, source, medium, campaign, sum(visits), sum(inquiries), sum(deals), sum(sales), sum(revenue), sum(cost_of_goods), sum(spend)
 FROM throughline.channel_daily WHERE workspace = '%s' AND model = '%s' AND date_basis = 'touch' GROUP BY ALL`, p.name, model))
	var out []string
	for _, row := range rows {
		f := strings.Split(row, "\t")
		if values := figures(t, f[4:]...); strings.Trim(values, "0 ") != "" {
			out = append(out, strings.Join(f[:4], " | ")+" | "+values)
		}
	}
	slices.Sort(out)
	return out
}

func (c *vendorCell) row(t *testing.T) string {
	return strings.Join([]string{c.Channel, c.Source, c.Medium, c.Campaign, figures(t, c.Visits, c.Inquiries, c.Deals, c.Sales, c.Revenue, c.CostOfGoods, c.Spend)}, " | ")
}

// figures are numbers in one form, so that 1 is 1.000000.
func figures(t *testing.T, list ...string) string {
	t.Helper()
	var out []string
	for _, text := range list {
		d := decimal.Zero
		if text != "" {
			var err error
			if d, err = decimal.NewFromString(text); err != nil {
				t.Fatalf("%q is no number: %v", text, err)
			}
		}
		out = append(out, d.String())
	}
	return strings.Join(out, " ")
}

// metrics are the program's, each line's name with its labels → its value.
func (s *system) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	res, err := http.Get("http://" + s.addr.HTTP + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("metrics: HTTP %d, %v", res.StatusCode, err)
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if i := strings.LastIndex(line, " "); i > 0 && line[0] != '#' {
			if v, err := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64); err == nil {
				out[line[:i]] = v
			}
		}
	}
	return out
}
