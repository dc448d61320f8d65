package loader

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// inverse takes a posting of the samples back.
func inverse(p *fact.Posting) *fact.Posting {
	for i := range p.Credits {
		c := &p.Credits[i]
		c.Conversions, c.Revenue, c.CostOfGoods = -c.Conversions, -c.Revenue, -c.CostOfGoods
	}
	p.Touches[0].Sign, p.Inquiries[0].Sign, p.Deals[0].Sign, p.Stages[0].Sign = -1, -1, -1, -1
	p.Identities[0].Sign, p.Calls[0].Sign, p.Spends[0].Sign = -1, -1, -1
	return p
}

// Postings come from several partitions: what takes a fact back may come before it.
func TestWhatStandsDoesNotDependOnTheOrder(t *testing.T) {
	l := testLoader(t, DefaultConfig())
	for seed := range uint64(3) {
		workspace := fmt.Sprintf("order-%d", seed)
		var all []*fact.Posting
		for i := range 12 {
			all = append(all, posting(workspace, i))
			if i >= 4 { // it goes
				all = append(all, inverse(posting(workspace, i)))
			}
			if i >= 8 { // and comes again
				all = append(all, posting(workspace, i))
			}
		}
		random := rand.New(rand.NewPCG(seed, 0))
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for n := 0; len(all) > 0; n++ {
			k := min(len(all), 1+random.IntN(6))
			if err := l.insertAll(t.Context(), fmt.Sprintf("%s %d", workspace, n), batchOf(nil, all[:k]...).tables()); err != nil {
				t.Fatal(err)
			}
			all = all[k:]
		}
		for _, view := range []string{"touches", "inquiries", "deals", "deal_stages", "identities", "calls", "spend"} {
			got := ask(t, fmt.Sprintf("SELECT count() FROM throughline.%s WHERE workspace = '%s'", view, workspace))
			if got != "8" {
				t.Errorf("order %d: %s holds %s rows, want 8", seed, view, got)
			}
		}
		const sums = `SELECT sum(visits), sum(clicks), sum(spend), sum(inquiries), sum(sales), sum(revenue), sum(cost_of_goods)
			FROM throughline.channel_daily WHERE workspace = '%s' AND model = 'time_decay' AND date_basis = 'lead'`
		if got, want := ask(t, fmt.Sprintf(sums, workspace)), "8	80	40	8	8	800.08	480"; got != want {
			t.Errorf("order %d: sums %s, want %s", seed, got, want)
		}
	}
}

// An event that is stored twice is one; one that took another's id counts for nothing, whichever came first.
func TestRawEventsAreOneRowEach(t *testing.T) {
	l := testLoader(t, DefaultConfig())
	const workspace = "raw"
	intruder := visit(workspace, 1)
	intruder.Content = 12345
	refused := &fact.Posting{Workspace: workspace, RecordedAt: noon, Cause: "site/v1", Conflicts: []fact.Conflict{{Source: "site", EventID: "v1", Content: 12345}}}
	for i, b := range []*batch{
		batchOf([]*event.Event{intruder, visit(workspace, 0)}),
		batchOf([]*event.Event{visit(workspace, 1), visit(workspace, 0)}, refused),
		batchOf([]*event.Event{visit(workspace, 2), visit(workspace, 1)}),
	} {
		if err := l.insertAll(t.Context(), fmt.Sprintf("raw %d", i), b.tables()); err != nil {
			t.Fatal(err)
		}
	}
	got := ask(t, "SELECT id, content = 12345 FROM throughline.events WHERE workspace = 'raw' ORDER BY id")
	if want := "v0	0\nv1	0\nv2	0"; got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
