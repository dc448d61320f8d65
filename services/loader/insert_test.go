package loader

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/schemas/event"
)

func testLoader(t *testing.T, cfg Config) *Loader {
	t.Helper()
	return New(cfg, writer(t), prometheus.NewRegistry(), zap.NewNop())
}

// counts is what stands of a workspace: the rows of every table, and the sums of the aggregate.
func counts(t *testing.T, workspace string) string {
	t.Helper()
	var out []string
	for _, table := range []string{
		"events", "credits", "touches", "spend", "inquiries", "deals", "deal_stages", "identities", "calls", "conflicts",
	} {
		out = append(out, table+" "+ask(t, fmt.Sprintf("SELECT count() FROM throughline.%s WHERE workspace = '%s'", table, workspace)))
	}
	const sums = `SELECT sum(visits), sum(impressions), sum(clicks), sum(spend), sum(inquiries), sum(deals), sum(sales), toInt64(sum(revenue) * 100), sum(cost_of_goods)
		FROM throughline.channel_daily WHERE workspace = '%s' AND model = 'linear' AND date_basis = 'booked'`
	return strings.Join(append(out, "sums "+ask(t, fmt.Sprintf(sums, workspace))), "\n")
}

// countsOf is what must stand after n visits and n postings of the samples.
func countsOf(n int) string {
	return fmt.Sprintf(`events %[1]d
credits %[2]d
touches %[1]d
spend %[1]d
inquiries %[1]d
deals %[1]d
deal_stages %[1]d
identities %[1]d
calls %[1]d
conflicts 0
sums %[1]d	%[3]d	%[4]d	%[5]d	%[1]d	0	%[1]d	%[6]d	%[7]d`, n, 14*n, 1000*n, 10*n, 5*n, 10001*n, 60*n)
}

func TestAnInsertRepeatedUnderItsTokenChangesNothing(t *testing.T) {
	l := testLoader(t, DefaultConfig())
	const n = 300
	b := newBatch()
	for i := range n {
		b.events.add(visit("repeated", i), 3, 40)
		b.addPosting(posting("repeated", i))
	}
	for range 3 {
		if err := l.insertAll(t.Context(), "token-1", b.tables()); err != nil {
			t.Fatal(err)
		}
		if got, want := counts(t, "repeated"), countsOf(n); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
	// Equal rows under another token are other rows.
	other := batchOf(nil, posting("repeated", 0))
	if err := l.insertAll(t.Context(), "token-2", other.tables()); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, "SELECT count() FROM throughline.credits WHERE workspace = 'repeated'"); got != fmt.Sprint(14*(n+1)) {
		t.Errorf("credits after another token: %s", got)
	}
}

func TestColumnsHoldWhatWasPosted(t *testing.T) {
	l := testLoader(t, DefaultConfig())
	b := batchOf([]*event.Event{visit("columns", 7)}, posting("columns", 7))
	if err := l.insertAll(t.Context(), "columns", b.tables()); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, query, want string }{
		{"credits", "SELECT recorded_at, cause, cause_type, person_id, conversion, conversion_id, model, touch_id, touch_time, lead_time, sale_time, booked_time, channel, source, medium, campaign, content, term, conversions, revenue, cost_of_goods, touch_date, lead_date, sale_date, booked_date FROM throughline.credits WHERE workspace = 'columns' AND model = 'linear' AND conversion = 'sale'",
			"2026-11-01 12:00:00.007	crm/d7	new	0708090a-0b0c-0d0e-0f10-111213141516	sale	crm/7	linear	site/v7	2026-11-01 12:00:00.007	2026-11-01 12:00:00.007	2026-11-01 12:00:00.007	2026-11-01 12:00:00.007	Paid Search	google	cpc	autumn	(none)	(none)	1	100.01	60	2026-11-01	2026-11-01	2026-11-02	2026-11-03"},
		{"touches", "SELECT * FROM throughline.touches WHERE workspace = 'columns'",
			"columns	site/v7	0708090a-0b0c-0d0e-0f10-111213141516	visit	2026-11-01 12:00:00.007	2026-11-01	Paid Search	google	cpc	autumn	(none)	(none)"},
		{"inquiries", "SELECT * FROM throughline.inquiries WHERE workspace = 'columns'",
			"columns	crm/d7	0708090a-0b0c-0d0e-0f10-111213141516	form	2026-11-01 12:00:00.007	2026-11-01"},
		{"deals", "SELECT deal_id, pipeline, stage, status, amount, cost_of_goods, created_at, won_at, closed_at, manager, reason, first_channel, last_channel, deleted FROM throughline.deals WHERE workspace = 'columns'",
			"crm/7	sales	new	won	100.01	60	2026-11-01 12:00:00.007	2026-11-01 12:00:00.007	2026-11-01 12:00:00.007	Ann		Paid Search	Paid Search	false"},
		{"deal_stages", "SELECT deal_id, pipeline, stage, entered_at, left_at, manager FROM throughline.deal_stages WHERE workspace = 'columns'",
			"crm/7	sales	new	2026-11-01 12:00:00.007	2026-11-01 13:00:00.007	Ann"},
		{"identities", "SELECT kind, node_id, person_id FROM throughline.identities WHERE workspace = 'columns'",
			"phone	08090a0b-0c0d-0e0f-1011-121314151617	0708090a-0b0c-0d0e-0f10-111213141516"},
		{"calls", "SELECT call_id, call_time, call_date, direction, status, number, wait_seconds, talk_seconds, manager, match, visitor_id FROM throughline.calls WHERE workspace = 'columns'",
			"pbx/c7	2026-11-01 12:00:00.007	2026-11-01	in	answered	+48221112233	3	60		none	\\N"},
		{"spend", "SELECT date, account, channel, impressions, clicks, amount, event_id FROM throughline.spend WHERE workspace = 'columns'",
			"2026-11-01	a	Paid Search	1000	10	5	ads/s7"},
		{"events", "SELECT source, id, type, time, received_at, node_kinds, node_ids, raw, content, partition, offset FROM throughline.events WHERE workspace = 'columns'",
			"site	v7	visit	2026-11-01 12:00:00.007	2026-11-01 12:00:00.012	['anonymous_id']	['0708090a-0b0c-0d0e-0f10-111213141516']	{\"id\":\"v\"}	9223372036854775815	3	40"},
		{"bases", "SELECT date_basis, date, sum(sales), sum(revenue), sum(visits), sum(spend) FROM throughline.channel_daily WHERE workspace = 'columns' AND model = 'w_shaped' GROUP BY ALL ORDER BY ALL",
			"booked	2026-11-01	0	0	1	5\nbooked	2026-11-03	1	100.01	0	0\nlead	2026-11-01	1	100.01	1	5\nsale	2026-11-01	0	0	1	5\nsale	2026-11-02	1	100.01	0	0\ntouch	2026-11-01	1	100.01	1	5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := ask(t, tc.query); got != tc.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tc.want)
			}
		})
	}
}
