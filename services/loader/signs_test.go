package loader

import (
	"fmt"
	"math/rand/v2"
	"strings"
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
	p.Identities[0].Sign, p.Calls[0].Sign, p.Spends[0].Sign, p.Conversations[0].Sign = -1, -1, -1, -1
	p.Steps[0].Sign, p.Steps[1].Sign = -1, -1
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
			if random.IntN(3) == 0 { // a restart repeats the insert under its token
				if err := l.insertAll(t.Context(), fmt.Sprintf("%s %d", workspace, n), batchOf(nil, all[:k]...).tables()); err != nil {
					t.Fatal(err)
				}
			}
			all = all[k:]
		}
		for _, view := range []string{"touches", "inquiries", "deals", "deal_stages", "identities", "calls", "spend", "conversations"} {
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
		// Eight sales of 100.01 on one day, each with a call of a minute, a conversation answered after one and an hour in a stage.
		for query, want := range map[string]string{
			"SELECT visits, clicks, spend, sales, revenue FROM throughline.channel_roi(workspace = '%[1]s', from = '2026-11-01', to = '2026-11-30', model = 'linear', date_basis = 'sale')":                                                                                                                                                                                                                                                                 "8	80	40	8	800.08",
			"SELECT step, count, average_hours, median_hours, cost FROM throughline.funnel(workspace = '%[1]s', from = '2026-11-01', to = '2026-11-30', model = 'linear') WHERE position > 3":                                                                                                                                                                                                                                                               "new	8	1	1	5\nwon	8	\\N	\\N	5",
			"SELECT step, count, average_hours, median_hours, cost FROM throughline.funnel(workspace = '%[1]s', from = '2026-11-01', to = '2026-11-01', model = 'w_shaped') WHERE position > 3":                                                                                                                                                                                                                                                             "new	8	1	1	5\nwon	8	\\N	\\N	5",
			"SELECT calls_in, talk_seconds, deals, won, revenue, conversations, answered, first_answer_seconds FROM (SELECT sum(m.calls_in) AS calls_in, sum(m.talk_seconds) AS talk_seconds, sum(m.deals) AS deals, sum(m.won) AS won, sum(m.revenue) AS revenue, sum(m.conversations) AS conversations, sum(m.answered) AS answered, max(m.first_answer_seconds) AS first_answer_seconds FROM throughline.managers_daily AS m WHERE workspace = '%[1]s')": "8	480	8	8	800.08	8	8	60",
			"SELECT status, reason, deals, amount FROM throughline.reasons WHERE workspace = '%[1]s'":                                                                                                                                                                                                                                                                                                                                                       "won	(none)	8	800.08",
			"SELECT stage, times, average_hours FROM throughline.pipeline_speed(workspace = '%[1]s', from = '2026-11-01', to = '2026-11-01') ORDER BY stage":                                                                                                                                                                                                                                                                                                "	8	0\nnew	8	1",
			"SELECT first_sales + repeat_sales, first_revenue + repeat_revenue FROM throughline.repeat_daily WHERE workspace = '%[1]s'":                                                                                                                                                                                                                                                                                                                     "8	800.08",
			"SELECT people, revenue, cumulative FROM throughline.cohorts(workspace = '%[1]s', by = 'first_touch')":                                                                                                                                                                                                                                                                                                                                          "8	800.08	800.08",
		} {
			if got := ask(t, fmt.Sprintf(query, workspace)); got != strings.TrimSpace(want) {
				t.Errorf("order %d: %s\ngot  %s\nwant %s", seed, query, got, want)
			}
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
