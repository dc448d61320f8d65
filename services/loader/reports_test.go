package loader

import (
	"fmt"
	"slices"
	"testing"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

const (
	minute = int64(60_000)
	hour   = 60 * minute
)

// direct is where somebody comes from who types the address.
var direct = fact.Tuple{Channel: "Direct", Source: "(direct)", Medium: "(none)", Campaign: "(none)", Content: "(none)", Term: "(none)"}

// story is two deals of one day. The first is sold for 100.00 (cost 60.00) and begins with Google alone; a visit that is
// told a minute later takes half of it. The second stays where it is.
func story(workspace string) []*fact.Posting {
	googles := fact.Touchpoint{ID: "site/g", Time: noon, Date: today, Tuple: google}
	directs := fact.Touchpoint{ID: "site/d", Time: noon + 1, Date: today - 1, Tuple: direct}
	booking := func(cause fact.CauseType, c fact.Conversion, id string) fact.Booking {
		return fact.Booking{
			CauseType: cause, Person: node(1), Conversion: c, ID: id, LeadTime: noon + 2, SaleTime: noon + hour, BookedTime: noon + hour,
			LeadDate: today, SaleDate: today + 1, BookedDate: today + 2,
		}
	}
	visit := func(p fact.Touchpoint) fact.Touch {
		return fact.Touch{Sign: 1, Person: node(1), Type: event.Visit, Touchpoint: p}
	}
	stay := func(deal, stage string, from, to int64) fact.StageRow {
		return fact.StageRow{Sign: 1, Person: node(1), DealID: deal, Pipeline: "sales", Stage: stage, EnteredAt: noon + from, LeftAt: to}
	}
	step := func(sign int32, deal, channel, stage string, hours, share int64) fact.StepRow {
		r := fact.StepRow{Sign: sign, DealID: deal, LeadDate: today, Channel: channel, Stage: stage, Ended: hours > 0, Stayed: hours * hour}
		if stage != "" {
			r.Pipeline = "sales"
		}
		r.Shares[fact.Linear-1] = share
		return r
	}
	both := func(sign int32, channel string, share int64) []fact.StepRow { // the first deal's steps
		return []fact.StepRow{step(sign, "crm/d1", channel, "new", 2, share), step(sign, "crm/d1", channel, "contact", 0, share), step(sign, "crm/d1", channel, "", 0, share)}
	}
	first := &fact.Posting{
		Workspace: workspace, RecordedAt: noon, Cause: "crm/1", Touchpoints: []fact.Touchpoint{googles},
		Bookings: []fact.Booking{
			booking(fact.CauseNew, fact.Deal, "crm/d1"), booking(fact.CauseNew, fact.Sale, "crm/d1"), booking(fact.CauseNew, fact.Inquiry, "site/f1"), booking(fact.CauseNew, fact.Deal, "crm/d2"),
		},
		Credits: []fact.Credit{
			{Booking: 0, Model: fact.Linear, Conversions: 1_000_000},
			{Booking: 1, Model: fact.Linear, Conversions: 1_000_000, Revenue: 100_00, CostOfGoods: 60_00},
			{Booking: 2, Model: fact.Linear, Conversions: 1_000_000},
			{Booking: 3, Model: fact.Linear, Conversions: 1_000_000},
		},
		Touches: []fact.Touch{visit(googles)},
		Spends:  []fact.SpendRow{{Sign: 1, EventID: "ads/1", Account: "a", Date: today, Impressions: 1000, Clicks: 10, Amount: 25_00, Tuple: google}},
		Deals: []fact.DealRow{
			{Sign: 1, Person: node(1), ID: "crm/d1", Pipeline: "sales", Stage: "contact", Status: "won", CreatedAt: noon, WonAt: noon + hour},
			{Sign: 1, Person: node(1), ID: "crm/d2", Pipeline: "sales", Stage: "surprise", Status: "open", CreatedAt: noon},
		},
		Stages: []fact.StageRow{
			stay("crm/d1", "new", 0, noon+2*hour), stay("crm/d1", "contact", 2*hour, 0),
			stay("crm/d2", "new", 0, noon+5*hour), stay("crm/d2", "surprise", 5*hour, 0),
		},
		Steps: append(both(1, "Paid Search", 1_000_000), step(1, "crm/d2", "Paid Search", "new", 5, 1_000_000), step(1, "crm/d2", "Paid Search", "surprise", 0, 1_000_000)),
	}
	late := &fact.Posting{
		Workspace: workspace, RecordedAt: noon + minute, Cause: "site/d", Touchpoints: []fact.Touchpoint{googles, directs},
		Bookings: []fact.Booking{booking(fact.CauseLate, fact.Deal, "crm/d1"), booking(fact.CauseLate, fact.Sale, "crm/d1")},
		Credits: []fact.Credit{
			{Booking: 0, Touch: 0, Model: fact.Linear, Conversions: -500_000},
			{Booking: 0, Touch: 1, Model: fact.Linear, Conversions: 500_000},
			{Booking: 1, Touch: 0, Model: fact.Linear, Conversions: -500_000, Revenue: -50_00, CostOfGoods: -30_00},
			{Booking: 1, Touch: 1, Model: fact.Linear, Conversions: 500_000, Revenue: 50_00, CostOfGoods: 30_00},
		},
		Touches: []fact.Touch{visit(directs)},
		Steps:   slices.Concat(both(-1, "Paid Search", 1_000_000), both(1, "Paid Search", 500_000), both(1, "Direct", 500_000)),
	}
	return []*fact.Posting{first, late}
}

func TestReports(t *testing.T) {
	if err := testLoader(t, DefaultConfig()).insertAll(t.Context(), "story", batchOf(nil, story("story")...).tables()); err != nil {
		t.Fatal(err)
	}
	ask(t, schema.StageOrder([]schema.Stage{
		{Workspace: "story", Pipeline: "sales", Name: "new", Place: 1}, {Workspace: "story", Pipeline: "sales", Name: "contact", Place: 2},
		{Workspace: "another", Pipeline: "sales", Name: "never", Place: 1},
	}))
	asOf := func(at, basis string) string {
		return fmt.Sprintf("SELECT date, channel, visits, clicks, spend, inquiries, deals, sales, revenue, cost_of_goods FROM throughline.channel_daily_as_of(workspace = 'story', at = '%s', model = 'linear', date_basis = '%s') ORDER BY ALL", at, basis)
	}
	const changes = "SELECT cause_type, cause, channel, date, conversion, deals, sales, revenue, cost_of_goods FROM throughline.ledger_changes(workspace = 'story', from_recorded = '%s', to_recorded = '%s', model = 'linear') ORDER BY ALL"
	for _, tc := range []struct{ name, query, want string }{
		{"before anything", asOf("2026-11-01 11:59:59.999", "touch"), ""},
		{"as it stood at first", asOf("2026-11-01 12:00:00", "touch"), "2026-11-01	Paid Search	1	10	25	1	2	1	100	60"},
		{"as it stood at first, in another time zone", asOf("2026-11-01T13:00:59+01:00", "touch"), "2026-11-01	Paid Search	1	10	25	1	2	1	100	60"},
		{"as it stands", asOf("2027-01-01", "touch"), "2026-10-31	Direct	1	0	0	0	0.5	0.5	50	30\n2026-11-01	Paid Search	1	10	25	1	1.5	0.5	50	30"},
		{"as it stands, by the days of the sales", asOf("2027-01-01", "sale"),
			"2026-10-31	Direct	1	0	0	0	0	0	0	0\n2026-11-01	Paid Search	1	10	25	0	0	0	0	0\n2026-11-02	Direct	0	0	0	0	0.5	0.5	50	30\n2026-11-02	Paid Search	0	0	0	1	1.5	0.5	50	30"},
		{"a basis that there is not", asOf("2027-01-01", "today"), ""},
		{"what a late visit changed", fmt.Sprintf(changes, "2026-11-01 12:00:00", "2026-11-01 12:01:00"),
			"late	site/d	Direct	2026-11-03	deal	0.5	0	0	0\nlate	site/d	Direct	2026-11-03	sale	0	0.5	50	30\nlate	site/d	Paid Search	2026-11-03	deal	-0.5	0	0	0\nlate	site/d	Paid Search	2026-11-03	sale	0	-0.5	-50	-30"},
		{"nothing changed since", fmt.Sprintf(changes, "2026-11-01 12:01:00", "2027-01-01"), ""},
		{"return on investment", "SELECT channel, visits, spend, revenue, cpl, cac, roas, romi, drr, inquiry_rate, round(close_rate, 4) FROM throughline.channel_roi(workspace = 'story', from = '2026-10-01', to = '2026-11-01', model = 'linear', date_basis = 'touch') ORDER BY channel",
			"Direct	1	0	50	\\N	0	\\N	\\N	0	0	1\nPaid Search	1	25	50	25	50	2	-0.2	0.5	1	0.3333"},
		{"return on investment of a day", "SELECT channel, visits, deals FROM throughline.channel_roi(workspace = 'story', from = '2026-10-31', to = '2026-10-31', model = 'linear', date_basis = 'touch')", "Direct	1	0.5"},
		{"funnel", "SELECT channel, position, pipeline, step, count, round(from_previous, 4), round(from_first, 4), average_hours FROM throughline.funnel(workspace = 'story', from = '2026-10-01', to = '2026-11-30', model = 'linear') ORDER BY channel, position",
			`Direct	1		visits	1	\N	1	\N
Direct	2		inquiries	0	0	0	\N
Direct	3		deals	0.5	\N	0.5	\N
Direct	4	sales	new	0.5	1	0.5	2
Direct	5	sales	contact	0.5	1	0.5	\N
Direct	6	sales	surprise	0	0	0	\N
Direct	7		won	0.5	\N	0.5	\N
Paid Search	1		visits	1	\N	1	\N
Paid Search	2		inquiries	1	1	1	\N
Paid Search	3		deals	1.5	1.5	1.5	\N
Paid Search	4	sales	new	1.5	1	1.5	4
Paid Search	5	sales	contact	0.5	0.3333	0.5	\N
Paid Search	6	sales	surprise	1	2	1	\N
Paid Search	7		won	0.5	0.5	0.5	\N`},
		{"what a step costs, and the median of its hours", "SELECT step, median_hours, round(cost, 4) FROM throughline.funnel(workspace = 'story', from = '2026-10-01', to = '2026-11-30', model = 'linear') WHERE channel = 'Paid Search' ORDER BY position",
			`visits	\N	25
inquiries	\N	25
deals	\N	16.6667
new	5	16.6667
contact	\N	50
surprise	\N	25
won	\N	50`},
		{"funnel of days without deals", "SELECT count() FROM throughline.funnel(workspace = 'story', from = '2025-01-01', to = '2025-12-31', model = 'linear')", "0"},
		{"funnel of another model", "SELECT channel, step, count FROM throughline.funnel(workspace = 'story', from = '2026-10-01', to = '2026-11-30', model = 'first_touch') WHERE step IN ('visits', 'deals') ORDER BY ALL",
			"Direct	deals	0\nDirect	visits	1\nPaid Search	deals	0\nPaid Search	visits	1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := ask(t, tc.query); got != tc.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tc.want)
			}
		})
	}
}
