package loader

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/throughline-io/throughline/schemas/fact"
)

// A random history of facts that come and go is copied at ten moments while it happens; at its end channel_daily_as_of must print
// each copy, cell by cell, and what ledger_changes says of the time between two moments must be the difference of the two.
func TestAsOfIsWhatStoodThen(t *testing.T) {
	const workspace, model, moments = "as-of", "time_decay", 10
	l := testLoader(t, DefaultConfig())
	random := rand.New(rand.NewPCG(6, 7))
	clock := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	standing := map[int]bool{}
	const quantities = "visits, impressions, clicks, spend, inquiries, deals, sales, revenue, cost_of_goods"
	copies := map[string]map[string]string{} // moment → basis → rows
	var at []string
	for step := range 60 {
		var batch []*fact.Posting
		for range 1 + random.IntN(4) {
			i := random.IntN(20)
			p := posting(workspace, i)
			if standing[i] {
				p = inverse(p)
			}
			standing[i] = !standing[i]
			clock = clock.Add(time.Duration(1+random.IntN(5000)) * time.Millisecond)
			p.RecordedAt = clock.UnixMilli()
			batch = append(batch, p)
		}
		if err := l.insertAll(t.Context(), fmt.Sprintf("%s %d", workspace, step), batchOf(nil, batch...).tables()); err != nil {
			t.Fatal(err)
		}
		if step%(60/moments) != 0 {
			continue
		}
		moment := clock.Format("2006-01-02 15:04:05.000")
		at = append(at, moment)
		copies[moment] = map[string]string{}
		for _, basis := range []string{"touch", "lead", "sale", "booked"} {
			copies[moment][basis] = ask(t, fmt.Sprintf(`SELECT date, channel, source, medium, campaign, sum(d.visits) AS visits, sum(d.impressions) AS impressions, sum(d.clicks) AS clicks,
				sum(d.spend) AS spend, sum(d.inquiries) AS inquiries, sum(d.deals) AS deals, sum(d.sales) AS sales, sum(d.revenue) AS revenue, sum(d.cost_of_goods) AS cost_of_goods
				FROM throughline.channel_daily AS d WHERE workspace = '%s' AND model = '%s' AND date_basis = '%s' GROUP BY ALL
				HAVING visits != 0 OR impressions != 0 OR clicks != 0 OR spend != 0 OR inquiries != 0 OR deals != 0 OR sales != 0 OR revenue != 0 OR cost_of_goods != 0 ORDER BY ALL`, workspace, model, basis))
		}
	}
	different := map[string]bool{}
	for _, moment := range at {
		for basis, want := range copies[moment] {
			got := ask(t, fmt.Sprintf("SELECT date, channel, source, medium, campaign, %s FROM throughline.channel_daily_as_of(workspace = '%s', at = '%s', model = '%s', date_basis = '%s') ORDER BY ALL",
				quantities, workspace, moment, model, basis))
			if got != want {
				t.Errorf("as of %s by %s:\n%s\nstood then:\n%s", moment, basis, got, want)
			}
			different[want] = true
		}
	}
	if len(at) != moments || len(different) < moments {
		t.Errorf("%d moments with %d different tables: too tame to prove anything", len(at), len(different))
	}
	sums := func(moment string) string {
		return fmt.Sprintf("(SELECT sum(inquiries) AS q, sum(deals) AS d, sum(sales) AS n, sum(revenue) AS r, sum(cost_of_goods) AS g FROM throughline.channel_daily_as_of(workspace = '%s', at = '%s', model = '%s', date_basis = 'booked'))", workspace, moment, model)
	}
	for i := 1; i < len(at); i++ {
		got := ask(t, fmt.Sprintf(`SELECT after.q - before.q - changed.q, after.d - before.d - changed.d, after.n - before.n - changed.n, after.r - before.r - changed.r, after.g - before.g - changed.g
			FROM %s AS before, %s AS after, (SELECT sum(inquiries) AS q, sum(deals) AS d, sum(sales) AS n, sum(revenue) AS r, sum(cost_of_goods) AS g
			FROM throughline.ledger_changes(workspace = '%s', from_recorded = '%s', to_recorded = '%s', model = '%s')) AS changed`, sums(at[i-1]), sums(at[i]), workspace, at[i-1], at[i], model))
		if got != "0	0	0	0	0" {
			t.Errorf("from %s to %s the changes miss %s", at[i-1], at[i], got)
		}
	}
}
