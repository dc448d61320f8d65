package reports

import (
	"github.com/google/uuid"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// checks are the comparisons of an audit: what stands, as a query of a key and quantities, and what should, from the facts.
var checks = []struct {
	name  string
	query string
	// expect is nil where the query itself compares: what it returns are differences, of as many cells as count says.
	expect func(*fact.Posting) cells
	count  string
}{
	{"ledger against raw events", `
SELECT [conversion, conversion_id, model, touch_id, toString(person_id), toString(toUnixTimestamp64Milli(touch_time)), toString(toUnixTimestamp64Milli(lead_time)),
        toString(toUnixTimestamp64Milli(sale_time)), toString(toUnixTimestamp64Milli(booked_time)), channel, source, medium, campaign, content, term],
       [toInt64(sum(conversions) * 1000000), toInt64(sum(revenue) * 100), toInt64(sum(cost_of_goods) * 100)]
FROM throughline.credits WHERE workspace = ?
GROUP BY conversion, conversion_id, model, touch_id, person_id, touch_time, lead_time, sale_time, booked_time, channel, source, medium, campaign, content, term`, ledger, ""},
	{"channel_daily against raw events", `
SELECT [date_basis, toString(date), model, channel, source, medium, campaign],
       [toInt64(sum(visits)), toInt64(sum(impressions)), toInt64(sum(clicks)), toInt64(sum(spend) * 100), toInt64(sum(inquiries) * 1000000), toInt64(sum(deals) * 1000000),
        toInt64(sum(sales) * 1000000), toInt64(sum(revenue) * 100), toInt64(sum(cost_of_goods) * 100)]
FROM throughline.channel_daily WHERE workspace = ? GROUP BY date_basis, date, model, channel, source, medium, campaign`, daily, ""},
	{"touches against raw events", `
SELECT [touch_id, toString(person_id), channel, source, medium, campaign, content, term], [toInt64(count())]
FROM throughline.touches WHERE workspace = ? GROUP BY touch_id, person_id, channel, source, medium, campaign, content, term`, touches, ""},
	{"deals against raw events", `
SELECT [deal_id, toString(person_id), pipeline, stage, status], [toInt64(amount * 100), toInt64(cost_of_goods * 100)]
FROM throughline.deals WHERE workspace = ?`, deals, ""},
	{"deal_stages against raw events", `
SELECT [deal_id, pipeline, stage, toString(toUnixTimestamp64Milli(entered_at))], [toInt64(count())]
FROM throughline.deal_stages WHERE workspace = ? GROUP BY deal_id, pipeline, stage, entered_at`, stages, ""},
	{"identities against raw events", `
SELECT [kind, toString(node_id), toString(person_id)], [toInt64(count())]
FROM throughline.identities WHERE workspace = ? GROUP BY kind, node_id, person_id`, identities, ""},
	// Both sides are in ClickHouse, which adds them up: the memory it takes is that of the aggregate.
	{"channel_daily against the ledger", `
SELECT [date_basis, toString(date), model, channel, source, medium, campaign],
       [toInt64(sum(q) * 1000000), toInt64(sum(d) * 1000000), toInt64(sum(n) * 1000000), toInt64(sum(r) * 100), toInt64(sum(g) * 100)] AS difference
FROM
(
    SELECT date_basis, date, model, channel, source, medium, campaign, a.inquiries AS q, a.deals AS d, a.sales AS n, a.revenue AS r, a.cost_of_goods AS g
    FROM throughline.channel_daily AS a WHERE workspace = $1
    UNION ALL
    SELECT basis.1, basis.2, model, channel, source, medium, campaign, -if(conversion = 'inquiry', conversions, 0), -if(conversion = 'deal', conversions, 0),
        -if(conversion = 'sale', conversions, 0), -revenue, -cost_of_goods
    FROM throughline.credits ARRAY JOIN [('touch', touch_date), ('lead', lead_date), ('sale', sale_date), ('booked', booked_date)] AS basis WHERE workspace = $1
)
GROUP BY date_basis, date, model, channel, source, medium, campaign
HAVING arrayExists(v -> v != 0, difference)`, nil, `
SELECT uniqExact(date_basis, date, model, channel, source, medium, campaign) FROM throughline.channel_daily WHERE workspace = ?`},
	{"sales of each model against won deals", `
SELECT [model], [toInt64(sum(revenue) * 100), toInt64(sum(cost_of_goods) * 100)]
FROM throughline.credits WHERE workspace = ? AND conversion = 'sale' GROUP BY model`, won, ""},
}

func id(n event.NodeID) string { return uuid.UUID(n).String() }

func ledger(p *fact.Posting) cells {
	out := cells{}
	for _, c := range p.Credits {
		b, t := &p.Bookings[c.Booking], &p.Touchpoints[c.Touch]
		key := join(b.Conversion.String(), b.ID, c.Model.String(), t.ID, id(b.Person), millis(t.Time), millis(b.LeadTime), millis(b.SaleTime),
			millis(b.BookedTime), t.Channel, t.Source, t.Medium, t.Campaign, t.Content, t.Term)
		out.add(key, c.Conversions, c.Revenue, c.CostOfGoods)
	}
	return out
}

// models is every model's name: visits and spend stand once under each.
func models() (out []string) {
	for m := fact.FirstTouch; m <= fact.WShaped; m++ {
		out = append(out, m.String())
	}
	return out
}

var bases = []string{"touch", "lead", "sale", "booked"}

func daily(p *fact.Posting) cells {
	out := cells{}
	everywhere := func(day fact.Date, t fact.Tuple, visits, impressions, clicks, spend int64) {
		for _, basis := range bases {
			for _, model := range models() {
				out.add(join(basis, date(int32(day)), model, t.Channel, t.Source, t.Medium, t.Campaign), visits, impressions, clicks, spend, 0, 0, 0, 0, 0)
			}
		}
	}
	for _, t := range p.Touches {
		if t.Type == event.Visit {
			everywhere(t.Date, t.Tuple, int64(t.Sign), 0, 0, 0)
		}
	}
	for _, s := range p.Spends {
		n := int64(s.Sign)
		everywhere(s.Date, s.Tuple, 0, n*s.Impressions, n*s.Clicks, n*s.Amount)
	}
	for _, c := range p.Credits {
		b, t := &p.Bookings[c.Booking], &p.Touchpoints[c.Touch]
		var counts [3]int64
		counts[b.Conversion-fact.Inquiry] = c.Conversions
		for i, day := range []fact.Date{t.Date, b.LeadDate, b.SaleDate, b.BookedDate} {
			out.add(join(bases[i], date(int32(day)), c.Model.String(), t.Channel, t.Source, t.Medium, t.Campaign),
				0, 0, 0, 0, counts[0], counts[1], counts[2], c.Revenue, c.CostOfGoods)
		}
	}
	return out
}

func touches(p *fact.Posting) cells {
	out := cells{}
	for _, t := range p.Touches {
		out.add(join(t.ID, id(t.Person), t.Channel, t.Source, t.Medium, t.Campaign, t.Content, t.Term), int64(t.Sign))
	}
	return out
}

func deals(p *fact.Posting) cells {
	out := cells{}
	for _, d := range p.Deals {
		out.add(join(d.ID, id(d.Person), d.Pipeline, d.Stage, d.Status), d.Amount, d.CostOfGoods)
	}
	return out
}

func stages(p *fact.Posting) cells {
	out := cells{}
	for _, s := range p.Stages {
		out.add(join(s.DealID, s.Pipeline, s.Stage, millis(s.EnteredAt)), 1)
	}
	return out
}

func identities(p *fact.Posting) cells {
	out := cells{}
	for _, i := range p.Identities {
		out.add(join(i.Kind, id(i.Node), id(i.Person)), 1)
	}
	return out
}

// won is the CRM's own total, the same under every model.
func won(p *fact.Posting) cells {
	out := cells{}
	for _, d := range p.Deals {
		if d.Status == "won" && !d.Deleted {
			for _, m := range models() {
				out.add(m, d.Amount, d.CostOfGoods)
			}
		}
	}
	return out
}
