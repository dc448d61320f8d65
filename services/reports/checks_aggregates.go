package reports

// aggregateChecks are the aggregates against the rows that they were filled from.
func aggregateChecks() []check {
	of := func(table string, values []string, key ...string) source {
		return source{from: "throughline." + table, key: key, values: values, date: "date"}
	}
	const everyBasisAndModel = " ARRAY JOIN ['touch', 'lead', 'sale', 'booked'] AS date_basis" +
		" ARRAY JOIN ['first_touch', 'last_touch', 'last_non_direct', 'linear', 'time_decay', 'position_based', 'w_shaped'] AS model"
	daily := dailySource()
	from := func(table, where, day, basis string, values ...string) source {
		s := source{from: "throughline." + table, where: where, key: []string{basis, text(day), "model", "channel", "source", "medium", "campaign"}, date: day}
		for len(values) < len(daily.values) {
			values = append(values, "0")
		}
		s.values = values
		return s
	}
	counted := func(conversion string) string {
		return "if(conversion = '" + conversion + "', toInt64(conversions * 1000000), 0)"
	}
	managers := []string{"calls_in", "calls_out", "missed", "talk_seconds", "conversations", "answered", "answer_ms", "deals", "won", minor("revenue")}
	manager := func(table, where, day string, values ...string) source {
		s := of(table, values, text(day), "manager")
		s.where, s.date = where, day
		return s
	}
	const isWon, hasEnded = "status = 'won' AND NOT deleted AND won_at IS NOT NULL", "status IN ('won', 'lost') AND NOT deleted AND closed_at IS NOT NULL"
	const models = "['first_touch', 'last_touch', 'last_non_direct', 'linear', 'time_decay', 'position_based', 'w_shaped']"
	return []check{
		{
			name: "channel_daily against the ledger", got: daily,
			want: []source{
				from("credits ARRAY JOIN [('touch', touch_date), ('lead', lead_date), ('sale', sale_date), ('booked', booked_date)] AS basis", "", "basis.2", "basis.1",
					"0", "0", "0", "0", counted("inquiry"), counted("deal"), counted("sale"), minor("revenue"), minor("cost_of_goods")),
				from("touches_log"+everyBasisAndModel, "type = 'visit'", "touch_date", "date_basis", "toInt64(sign)"),
				from("spend_log"+everyBasisAndModel, "", "date", "date_basis", "0", "sign * impressions", "sign * clicks", "sign * "+minor("amount")),
			},
		},
		{
			name: "funnel_sums against steps of the funnel",
			got:  of("funnel_sums", []string{"deals", "arraySum(stayedMap.shares)", "toInt64(arraySum(stayedMap.ms))"}, text("grain"), text("date"), "model", "channel", "pipeline", "stage"),
			want: []source{{
				from: "throughline.deal_steps_log ARRAY JOIN arrayZip(" + models + ", shares) AS part ARRAY JOIN [('day', lead_date), ('month', toStartOfMonth(lead_date))] AS period",
				key:  []string{"period.1", text("period.2"), "part.1", "channel", "pipeline", "stage"}, date: "period.2",
				values: []string{"sign * part.2", "if(ended, sign * part.2, 0)", "if(ended, toInt64(toInt128(sign * part.2) * stayed_ms), 0)"},
			}},
		},
		{
			name: "managers_sums against calls, conversations and deals", got: of("managers_sums", managers, text("date"), "manager"),
			want: []source{
				manager("calls_log", "", "call_date", "toInt64(sign * (direction = 'in'))", "toInt64(sign * (direction = 'out'))", "toInt64(sign * (direction = 'in' AND status != 'answered'))", "sign * toInt64(talk_seconds)"),
				manager("conversations_log", "", "date", "0", "0", "0", "0", "toInt64(sign)", "toInt64(sign * (answered_at IS NOT NULL))",
					"sign * ifNull(toUnixTimestamp64Milli(answered_at) - toUnixTimestamp64Milli(began_at), 0)"),
				manager("deals_log", "NOT deleted", "created_date", "0", "0", "0", "0", "0", "0", "0", "toInt64(sign)"),
				manager("deals_log", isWon+" AND won_date IS NOT NULL", "assumeNotNull(won_date)", "0", "0", "0", "0", "0", "0", "0", "0", "toInt64(sign)", "sign * "+minor("amount")),
			},
		},
		{
			name: "reasons_sums against deals", got: of("reasons_sums", []string{"deals", minor("amount")}, text("date"), "status", "reason", "channel", "manager"),
			want: []source{{
				from: "throughline.deals_log", where: hasEnded + " AND closed_date IS NOT NULL", date: "assumeNotNull(closed_date)",
				key: []string{text("assumeNotNull(closed_date)"), "status", "reason", "last_channel", "manager"}, values: []string{"toInt64(sign)", "sign * " + minor("amount")},
			}},
		},
		{
			name: "speed_sums against deals and stages", got: of("speed_sums", []string{"times"}, text("date"), "pipeline", "stage", "status", text("ms")),
			want: []source{
				{
					from: "throughline.deal_stages_log", where: "left_at IS NOT NULL", date: "entered_date", values: []string{"toInt64(sign)"},
					key: []string{text("entered_date"), "pipeline", "stage", "''", "toString(toUnixTimestamp64Milli(assumeNotNull(left_at)) - toUnixTimestamp64Milli(entered_at))"},
				},
				{
					from: "throughline.deals_log", where: hasEnded, date: "created_date", values: []string{"toInt64(sign)"},
					key: []string{text("created_date"), "pipeline", "''", "status", "toString(toUnixTimestamp64Milli(assumeNotNull(closed_at)) - toUnixTimestamp64Milli(created_at))"},
				},
			},
		},
		{
			name: "sales_by_person against deals",
			got: source{
				from: "throughline.sales_by_person", date: "won_date", values: []string{"times"},
				key: []string{text("person_id"), ms("won_at"), "deal_id", text("won_date"), text(minor("amount"))},
			},
			want: []source{{
				from: "throughline.deals_log", where: isWon, date: "ifNull(won_date, toDate(0))", values: []string{"toInt64(sign)"},
				key: []string{text("person_id"), ms("assumeNotNull(won_at)"), "deal_id", "toString(ifNull(won_date, toDate(0)))", text(minor("amount"))},
			}},
		},
		{
			name: "touch_months against touches", got: source{from: "throughline.touch_months", key: []string{text("person_id"), text("month")}, values: []string{"touches"}},
			want: []source{{from: "throughline.touches_log", key: []string{text("person_id"), text("toStartOfMonth(touch_date)")}, values: []string{"toInt64(sign)"}}},
		},
	}
}
