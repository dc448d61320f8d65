package loader

import (
	"strings"
	"testing"
	"time"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
)

// The world that the views below are worked out on. Anna and Boris sell; persons are a to d; Warsaw is an hour ahead of UTC in
// November and two in summer.
var viewsWorld = []string{
	// a is answered on Monday at 10:10; b is missed at 10:20 and called back after 10 minutes; c is missed at 10:40 and called back
	// after 1 h 59 min; d is missed on Tuesday at 0:30 (Monday in UTC) and never called back.
	`INSERT INTO throughline.calls_log (workspace, sign, call_id, person_id, call_time, call_date, direction, status, talk_seconds, manager) VALUES
		('views', 1, 'c1', {a}, '2026-11-02 09:10:00', '2026-11-02', 'in', 'answered', 60, 'anna'),
		('views', 1, 'c2', {b}, '2026-11-02 09:20:00', '2026-11-02', 'in', 'missed', 0, 'anna'),
		('views', 1, 'c3', {b}, '2026-11-02 09:30:00', '2026-11-02', 'out', 'answered', 30, 'boris'),
		('views', 1, 'c4', {c}, '2026-11-02 09:40:00', '2026-11-02', 'in', 'busy', 0, 'boris'),
		('views', 1, 'c5', {c}, '2026-11-02 11:39:00', '2026-11-02', 'out', 'missed', 0, 'boris'),
		('views', 1, 'c6', {d}, '2026-11-02 23:30:00', '2026-11-03', 'in', 'missed', 0, '')`,
	// a bought for 100 in September after 48 hours, and on 2 November late in the evening for 300 after 12.5; b for 50 in October after 48;
	// c said no after 10 hours; d's deal was deleted.
	`INSERT INTO throughline.deals_log (workspace, sign, deal_id, person_id, pipeline, status, amount, created_at, won_at, closed_at, manager, reason, last_channel, deleted, created_date, won_date, closed_date) VALUES
		('views', 1, 'd1', {a}, 'sales', 'won', 100, '2026-09-10 10:00:00', '2026-09-12 10:00:00', '2026-09-12 10:00:00', 'anna', 'price', 'Paid Search', false, '2026-09-10', '2026-09-12', '2026-09-12'),
		('views', 1, 'd2', {a}, 'sales', 'won', 300, '2026-11-02 10:00:00', '2026-11-02 22:30:00', '2026-11-02 22:30:00', 'anna', '', 'Direct', false, '2026-11-02', '2026-11-02', '2026-11-02'),
		('views', 1, 'd3', {b}, 'sales', 'won', 50, '2026-10-01 10:00:00', '2026-10-03 10:00:00', '2026-10-03 10:00:00', 'boris', 'price', 'Direct', false, '2026-10-01', '2026-10-03', '2026-10-03'),
		('views', 1, 'd4', {c}, 'sales', 'lost', 70, '2026-11-02 10:00:00', NULL, '2026-11-02 20:00:00', 'boris', 'no money', 'Direct', false, '2026-11-02', NULL, '2026-11-02'),
		('views', 1, 'd5', {d}, 'sales', 'won', 999, '2026-11-02 10:00:00', '2026-11-02 11:00:00', '2026-11-02 11:00:00', 'boris', '', 'Direct', true, '2026-11-02', '2026-11-02', '2026-11-02')`,
	// Two stays of 2 and 4 hours that are over, one that is not.
	`INSERT INTO throughline.deal_stages_log (workspace, sign, person_id, deal_id, pipeline, stage, entered_at, left_at, entered_date) VALUES
		('views', 1, {a}, 'd1', 'sales', 'new', '2026-09-10 10:00:00', '2026-09-10 12:00:00', '2026-09-10'),
		('views', 1, {b}, 'd3', 'sales', 'new', '2026-10-01 10:00:00', '2026-10-01 14:00:00', '2026-10-01'),
		('views', 1, {c}, 'd4', 'sales', 'new', '2026-11-02 10:00:00', NULL, '2026-11-02')`,
	// Anna answers a after 4 minutes and b after 2; c writes to Boris, who does not.
	`INSERT INTO throughline.conversations_log (workspace, sign, conversation_id, person_id, platform, began_at, date, answered_at, manager) VALUES
		('views', 1, 'k1', {a}, 'telegram', '2026-11-02 10:00:00', '2026-11-02', '2026-11-02 10:04:00', 'anna'),
		('views', 1, 'k2', {b}, 'viber', '2026-11-02 10:10:00', '2026-11-02', '2026-11-02 10:12:00', 'anna'),
		('views', 1, 'k3', {c}, 'viber', '2026-11-02 10:20:00', '2026-11-02', NULL, 'boris')`,
	// a was first seen in August, b in October; September's advertising cost 200.
	`INSERT INTO throughline.touches_log (workspace, sign, type, person_id, touch_id, touch_time, touch_date, channel) VALUES
		('views', 1, 'call', {a}, 't1', '2026-08-20 10:00:00', '2026-08-20', 'Call'),
		('views', 1, 'call', {a}, 't2', '2026-09-20 10:00:00', '2026-09-20', 'Call'),
		('views', 1, 'call', {b}, 't3', '2026-10-01 10:00:00', '2026-10-01', 'Call')`,
	`INSERT INTO throughline.spend_log (workspace, sign, event_id, date, channel, amount) VALUES ('views', 1, 's1', '2026-09-05', 'Print', 150), ('views', 1, 's2', '2026-09-30', 'Print', 50)`,
	// Ten days of November, the ten before, and the same ten a year before. 21 October is in none of them.
	`INSERT INTO throughline.channel_daily (workspace, date_basis, date, model, channel, source, medium, campaign, visits, spend, sales, revenue) VALUES
		('compared', 'sale', '2026-11-01', 'linear', 'Email', 'n', 'email', 'x', 4, 20, 1, 100), ('compared', 'sale', '2026-11-10', 'linear', 'Email', 'n', 'email', 'x', 1, 0, 0, 0),
		('compared', 'sale', '2026-10-22', 'linear', 'Email', 'n', 'email', 'x', 2, 30, 1, 60), ('compared', 'sale', '2026-10-21', 'linear', 'Email', 'n', 'email', 'x', 9, 9, 9, 9),
		('compared', 'sale', '2025-11-05', 'linear', 'Email', 'n', 'email', 'x', 7, 5, 1, 10)`,
	// The CRM sent ten events in this hour of each of the last eight weeks, and nothing in the last hour; the site goes on.
	`INSERT INTO throughline.events_hourly (workspace, source, hour, type, events, last)
		SELECT 'views', 'crm', toStartOfHour(now('UTC')) - INTERVAL 1 HOUR - toIntervalWeek(number + 1) AS at, 'deal', 10, at FROM numbers(8)`,
	`INSERT INTO throughline.events_hourly (workspace, source, hour, type, events, last)
		SELECT 'views', 'site', toStartOfHour(now('UTC')) - toIntervalHour(number) AS at, 'visit', 5, at FROM numbers(3)`,
	`INSERT INTO throughline.dead_letters (workspace, received_at, key, code) VALUES ('views', '2026-11-02 09:10:00', 'crm', 'bad_json'), ('views', '2026-11-02 09:50:00', 'crm', 'bad_json')`,
	// Today two items of the CRM were refused, and one that did not say whose it was.
	`INSERT INTO throughline.dead_letters (workspace, received_at, key, source, code) VALUES
		('views', now64(3), 'crm', 'crm', 'bad_time'), ('views', now64(3), 'crm', 'crm', 'bad_time'), ('views', now64(3), 'crm', '', 'bad_json')`,
	`INSERT INTO throughline.events_log (workspace, source, id, content, type, time, received_at) VALUES
		('heard', 'site', 'a', 1, 'visit', '2026-11-02 09:10:00', '2026-11-02 09:10:00'), ('heard', 'site', 'b', 2, 'visit', '2026-11-02 09:10:00', '2026-11-02 09:50:00'),
		('heard', 'site', 'c', 3, 'form', '2026-11-02 09:10:00', '2026-11-02 10:00:00')`,
}

func TestViews(t *testing.T) {
	warsaw, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		t.Fatal(err)
	}
	ask(t, schema.WorkspaceSettings([]schema.Settings{
		{Workspace: "views", Timezone: "Europe/Warsaw", Currency: "EUR", ChurnDays: 180, Offsets: schema.Offsets(warsaw)}, {Workspace: "another", Timezone: "UTC", Currency: "USD", ChurnDays: 1},
	}))
	persons := strings.NewReplacer("{a}", "toUUID('00000000-0000-0000-0000-00000000000a')", "{b}", "toUUID('00000000-0000-0000-0000-00000000000b')",
		"{c}", "toUUID('00000000-0000-0000-0000-00000000000c')", "{d}", "toUUID('00000000-0000-0000-0000-00000000000d')")
	for _, statement := range viewsWorld {
		ask(t, persons.Replace(statement))
	}
	for _, tc := range []struct{ name, query, want string }{
		{"calls by the hour", "SELECT date, weekday, hour, calls, answered, missed, called_back_15m, called_back_1h, called_back_1d, never_called_back, callers FROM throughline.calls_hourly WHERE workspace = 'views' ORDER BY ALL",
			"2026-11-02	1	10	3	1	2	1	1	2	0	3\n2026-11-03	2	0	1	0	1	0	0	0	1	1"},
		{"managers", "SELECT manager, calls_in, calls_out, missed, talk_seconds, deals, won, revenue, average_check, conversion, conversations, answered, first_answer_seconds FROM throughline.managers_daily WHERE workspace = 'views' AND date = '2026-11-02' ORDER BY ALL",
			"anna	2	0	1	60	1	1	300	300	1	2	2	180\nboris	1	2	1	30	1	0	0	\\N	0	1	0	\\N"},
		{"conversations", "SELECT conversation_id, platform, answered_at, manager FROM throughline.conversations WHERE workspace = 'views' ORDER BY ALL",
			"k1	telegram	2026-11-02 10:04:00.000	anna\nk2	viber	2026-11-02 10:12:00.000	anna\nk3	viber	\\N	boris"},
		{"reasons", "SELECT date, status, reason, channel, manager, deals, amount FROM throughline.reasons WHERE workspace = 'views' ORDER BY ALL",
			"2026-09-12	won	price	Paid Search	anna	1	100\n2026-10-03	won	price	Direct	boris	1	50\n2026-11-02	lost	no money	Direct	boris	1	70\n2026-11-02	won	(none)	Direct	anna	1	300"},
		{"speed", "SELECT pipeline, stage, status, times, round(average_hours, 4), median_hours, p90_hours FROM throughline.pipeline_speed(workspace = 'views', from = '2026-09-01', to = '2026-11-30') ORDER BY ALL",
			"sales		lost	1	10	10	10\nsales		won	3	36.1667	48	48\nsales	new		2	3	3	3.8"},
		{"speed of some days", "SELECT pipeline, stage, status, times FROM throughline.pipeline_speed(workspace = 'views', from = '2026-10-01', to = '2026-10-31') ORDER BY ALL", "sales		won	1\nsales	new		1"},
		{"customers", "SELECT endsWith(toString(person_id), 'a'), first_sale, last_sale, sales, revenue, average_check, recency, frequency, monetary, churned = (dateDiff('day', last_sale, now()) > 180) FROM throughline.customers WHERE workspace = 'views' ORDER BY sales",
			"0	2026-10-03 10:00:00.000	2026-10-03 10:00:00.000	1	50	50	1	1	1	1\n1	2026-09-12 10:00:00.000	2026-11-02 22:30:00.000	2	400	200	2	2	2	1"},
		{"first and repeated sales", "SELECT date, first_sales, repeat_sales, first_revenue, repeat_revenue FROM throughline.repeat_daily WHERE workspace = 'views' ORDER BY ALL",
			"2026-09-12	1	0	100	0\n2026-10-03	1	0	50	0\n2026-11-02	0	1	0	300"},
		{"cohorts of first sales", "SELECT cohort, people, month, revenue, cumulative, spend, payback FROM throughline.cohorts(workspace = 'views', by = 'first_sale')",
			"2026-09-01	1	0	100	100	200	0.5\n2026-09-01	1	1	0	100	200	0.5\n2026-09-01	1	2	300	400	200	2\n2026-10-01	1	0	50	50	0	\\N\n2026-10-01	1	1	0	50	0	\\N"},
		{"cohorts of first touches", "SELECT cohort, people, month, revenue, cumulative FROM throughline.cohorts(workspace = 'views', by = 'first_touch')",
			"2026-08-01	1	0	0	0\n2026-08-01	1	1	100	100\n2026-08-01	1	2	0	100\n2026-08-01	1	3	300	400\n2026-10-01	1	0	50	50\n2026-10-01	1	1	0	50"},
		{"health", "SELECT '[' || source || ']', last_hour, last_day, usual_hour, too_silent, rejected_last_day FROM throughline.sources_health WHERE workspace = 'views' ORDER BY source",
			"[]	0	0	0	0	{'bad_json':1}\n[crm]	0	0	10	1	{'bad_time':2}\n[site]	5	15	0	0	{}"},
		{"when a source was heard last", "SELECT '[' || source || ']', last_event IS NULL, silent_minutes IS NULL OR silent_minutes BETWEEN 0 AND 60 FROM throughline.sources_health WHERE workspace = 'views' AND source != 'crm' ORDER BY source", "[]	1	1\n[site]	0	1"},
		{"refused items", "SELECT key, hour, code, sum(items) FROM throughline.rejected_hourly WHERE workspace = 'views' AND hour < '2026-11-03' GROUP BY ALL", "crm	2026-11-02 09:00:00	bad_json	2"},
		{"events by the hour", "SELECT source, hour, type, sum(events), max(last) FROM throughline.events_hourly WHERE workspace = 'heard' GROUP BY ALL ORDER BY ALL",
			"site	2026-11-02 09:00:00	visit	2	2026-11-02 09:50:00.000\nsite	2026-11-02 10:00:00	form	1	2026-11-02 10:00:00.000"},
		{"cohorts of months with advertising", "SELECT cohort, people, month, revenue, cumulative, spend, payback FROM throughline.cohorts(workspace = 'views', by = 'spend') WHERE cohort < '2026-10-01'",
			"2026-08-01	1	0	0	0	0	\\N\n2026-08-01	1	1	100	100	0	\\N\n2026-08-01	1	2	0	100	0	\\N\n2026-08-01	1	3	300	400	0	\\N\n" +
				"2026-09-01	0	0	0	0	200	0\n2026-09-01	0	1	0	0	200	0\n2026-09-01	0	2	0	0	200	0"},
		{"periods", "SELECT channel, visits, visits_before, visits_year_before, spend, spend_before, revenue, revenue_before, revenue_year_before, romi, romi_before, romi_year_before FROM throughline.compare(workspace = 'compared', from = '2026-11-01', to = '2026-11-10', model = 'linear', date_basis = 'sale')",
			"Email	5	2	7	20	30	100	60	10	4	1	1"},
		{"ratios of periods", "SELECT cac, cac_before, cac_year_before, roas, roas_before, drr_year_before, cpl, inquiry_rate, close_rate_before FROM throughline.compare(workspace = 'compared', from = '2026-11-01', to = '2026-11-10', model = 'linear', date_basis = 'sale')",
			"20	30	5	5	2	0.5	\\N	0	\\N"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for user, password := range map[string]string{"throughline_bi": "", "bi_anna": annaPassword} {
				got, err := askAs(t, user, password, tc.query)
				want := tc.want
				if user == "bi_anna" {
					want = "" // she sees another workspace
				}
				if err != nil || got != want {
					t.Errorf("%s: %v got:\n%s\nwant:\n%s", user, err, got, want)
				}
			}
		})
	}
}
