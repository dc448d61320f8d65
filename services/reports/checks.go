package reports

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// check is one comparison of an audit: what stands, and what should: by the facts, or by the rows that it was filled from.
type check struct {
	name string
	got  source
	want []source
	// expect hands over the cells that should stand by some people's facts.
	expect func(*fact.Posting, emit)
	// manyToOne: facts add up to cells, so that what they are cannot be counted by them.
	manyToOne bool
}

type emit func(key string, values ...int64)

// checks are all of them: by the raw events, of the aggregates by the rows they were filled from, and of totals by the CRM.
func (a Audit) checks() []check {
	return slices.Concat(a.rowChecks(), aggregateChecks(), []check{a.dailyCheck(), a.totalsCheck()})
}

// Expressions that both sides print alike.
func ms(column string) string { return "toString(toUnixTimestamp64Milli(" + column + "))" }
func maybe(column string) string {
	return "toString(ifNull(toUnixTimestamp64Milli(" + column + "), 0))"
}
func text(column string) string  { return "toString(" + column + ")" }
func minor(column string) string { return "toInt64(" + column + " * 100)" }

func id(n event.NodeID) string { return uuid.UUID(n).String() }
func num[T any](v T) string    { return fmt.Sprint(v) }
func dims(t fact.Tuple) string { return join(t.Channel, t.Source, t.Medium, t.Campaign) }
func models() (out []string) {
	for m := fact.FirstTouch; m <= fact.WShaped; m++ {
		out = append(out, m.String())
	}
	return out
}

var bases = []string{"touch", "lead", "sale", "booked"}

// dailyCheck is channel_daily against the raw events.
func (a Audit) dailyCheck() check {
	return check{name: "channel_daily against raw events", got: dailySource(), manyToOne: true, expect: func(p *fact.Posting, do emit) {
		day := func(d fact.Date, basis, model string, t fact.Tuple, values ...int64) {
			if a.within(d) {
				do(join(basis, date(int32(d)), model, dims(t)), values...)
			}
		}
		type cell struct {
			day fact.Date
			fact.Tuple
		}
		seen := map[cell]*[4]int64{} // visits and spend stand once under each basis and model
		at := func(d fact.Date, t fact.Tuple) *[4]int64 {
			t.Content, t.Term = "", ""
			c := seen[cell{d, t}]
			if c == nil {
				c = new([4]int64)
				seen[cell{d, t}] = c
			}
			return c
		}
		for i := range p.Touches {
			if t := &p.Touches[i]; t.Type == event.Visit {
				at(t.Date, t.Tuple)[0] += int64(t.Sign)
			}
		}
		for i := range p.Spends {
			s, c := &p.Spends[i], at(p.Spends[i].Date, p.Spends[i].Tuple)
			c[1], c[2], c[3] = c[1]+int64(s.Sign)*s.Impressions, c[2]+int64(s.Sign)*s.Clicks, c[3]+int64(s.Sign)*s.Amount
		}
		for k, v := range seen {
			for _, basis := range bases {
				for _, model := range models() {
					day(k.day, basis, model, k.Tuple, v[0], v[1], v[2], v[3], 0, 0, 0, 0, 0)
				}
			}
		}
		for i := range p.Credits {
			c := &p.Credits[i]
			b, t := &p.Bookings[c.Booking], &p.Touchpoints[c.Touch]
			var counts [3]int64
			counts[b.Conversion-fact.Inquiry] = c.Conversions
			for i, d := range []fact.Date{t.Date, b.LeadDate, b.SaleDate, b.BookedDate} {
				day(d, bases[i], c.Model.String(), t.Tuple, 0, 0, 0, 0, counts[0], counts[1], counts[2], c.Revenue, c.CostOfGoods)
			}
		}
	}}
}

func dailySource() source {
	return source{
		from: "throughline.channel_daily", key: []string{"date_basis", text("date"), "model", "channel", "source", "medium", "campaign"}, date: "date",
		values: []string{"visits", "impressions", "clicks", minor("spend"), "toInt64(inquiries * 1000000)", "toInt64(deals * 1000000)", "toInt64(sales * 1000000)", minor("revenue"), minor("cost_of_goods")},
	}
}

// totalsCheck is the sums of credits against what the CRM says, under each model: inquiries, deals, and sales with their money.
func (a Audit) totalsCheck() check {
	return check{
		name: "sums of credits against the CRM", manyToOne: true,
		got: source{
			from: "throughline.credits", key: []string{"conversion", "model"}, date: "sale_date",
			values: []string{"toInt64(conversions * 1000000)", minor("revenue"), minor("cost_of_goods")},
		},
		expect: func(p *fact.Posting, do emit) {
			add := func(d fact.Date, c fact.Conversion, revenue, cogs int64) {
				if !a.within(d) {
					return
				}
				for _, m := range models() {
					do(join(c.String(), m), 1_000_000, revenue, cogs)
				}
			}
			for _, q := range p.Inquiries {
				add(q.Date, fact.Inquiry, 0, 0)
			}
			for i := range p.Deals {
				d := &p.Deals[i]
				add(d.CreatedDate, fact.Deal, 0, 0)
				if d.Status == "won" && !d.Deleted {
					add(d.WonDate, fact.Sale, d.Amount, d.CostOfGoods)
				}
			}
		},
	}
}
