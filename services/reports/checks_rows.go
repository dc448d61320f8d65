package reports

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// rowChecks are the ledger and the rows beside it against the raw events.
func (a Audit) rowChecks() []check {
	return []check{
		{
			name: "ledger against raw events",
			got: source{
				from: "throughline.credits", date: "booked_date", values: []string{"toInt64(conversions * 1000000)", minor("revenue"), minor("cost_of_goods")},
				key: []string{
					"conversion", "conversion_id", "model", "touch_id", text("person_id"), ms("touch_time"), ms("lead_time"), ms("sale_time"), ms("booked_time"),
					"channel", "source", "medium", "campaign", "content", "term", text("touch_date"), text("lead_date"), text("sale_date"), text("booked_date"),
				},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Credits {
					c := &p.Credits[i]
					b, t := &p.Bookings[c.Booking], &p.Touchpoints[c.Touch]
					if a.within(b.BookedDate) {
						do(join(b.Conversion.String(), b.ID, c.Model.String(), t.ID, id(b.Person), num(t.Time), num(b.LeadTime), num(b.SaleTime), num(b.BookedTime),
							dims(t.Tuple), t.Content, t.Term, date(int32(t.Date)), date(int32(b.LeadDate)), date(int32(b.SaleDate)), date(int32(b.BookedDate))),
							c.Conversions, c.Revenue, c.CostOfGoods)
					}
				}
			},
		},
		{
			name: "touches against raw events",
			got: source{
				from: "throughline.touches_log", date: "touch_date", values: []string{"toInt64(sign)"},
				key: []string{"touch_id", text("person_id"), "type", ms("touch_time"), "channel", "source", "medium", "campaign", "content", "term", text("touch_date")},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Touches {
					if t := &p.Touches[i]; a.within(t.Date) {
						do(join(t.ID, id(t.Person), t.Type.String(), num(t.Time), dims(t.Tuple), t.Content, t.Term, date(int32(t.Date))), int64(t.Sign))
					}
				}
			},
		},
		{
			name: "inquiries against raw events",
			got: source{
				from: "throughline.inquiries_log", date: "inquiry_date", values: []string{"toInt64(sign)"},
				key: []string{"inquiry_id", text("person_id"), "type", ms("inquiry_time"), text("inquiry_date")},
			},
			expect: func(p *fact.Posting, do emit) {
				for _, q := range p.Inquiries {
					if a.within(q.Date) {
						do(join(q.ID, id(q.Person), q.Type.String(), num(q.Time), date(int32(q.Date))), int64(q.Sign))
					}
				}
			},
		},
		{
			name: "deals against raw events",
			got: source{
				from: "throughline.deals_log", date: "created_date", values: []string{"toInt64(sign)"},
				key: []string{
					"deal_id", text("person_id"), "pipeline", "stage", "status", text(minor("amount")), text(minor("cost_of_goods")), ms("created_at"), maybe("won_at"), maybe("closed_at"),
					"manager", "reason", "first_channel", "last_channel", "title", "if(deleted, '1', '0')", text("created_date"), "toString(ifNull(won_date, toDate(0)))",
					"toString(ifNull(closed_date, toDate(0)))",
				},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Deals {
					d := &p.Deals[i]
					if !a.within(d.CreatedDate) {
						continue
					}
					deleted := "0"
					if d.Deleted {
						deleted = "1"
					}
					do(join(d.ID, id(d.Person), d.Pipeline, d.Stage, d.Status, num(d.Amount), num(d.CostOfGoods), num(d.CreatedAt), num(d.WonAt), num(d.ClosedAt),
						d.Manager, d.Reason, d.FirstChannel, d.LastChannel, d.Title, deleted, date(int32(d.CreatedDate)), date(int32(d.WonDate)), date(int32(d.ClosedDate))), int64(d.Sign))
				}
			},
		},
		{
			name: "deal_stages against raw events",
			got: source{
				from: "throughline.deal_stages_log", date: "entered_date", values: []string{"toInt64(sign)"},
				key: []string{"deal_id", text("person_id"), "pipeline", "stage", ms("entered_at"), maybe("left_at"), "manager", text("entered_date")},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Stages {
					if s := &p.Stages[i]; a.within(s.EnteredDate) {
						do(join(s.DealID, id(s.Person), s.Pipeline, s.Stage, num(s.EnteredAt), num(s.LeftAt), s.Manager, date(int32(s.EnteredDate))), int64(s.Sign))
					}
				}
			},
		},
		{
			name: "steps of the funnel against raw events",
			got: source{
				from: "throughline.deal_steps_log", date: "lead_date",
				values: []string{"toInt64(sign)", "sign * shares[1]", "sign * shares[2]", "sign * shares[3]", "sign * shares[4]", "sign * shares[5]", "sign * shares[6]", "sign * shares[7]"},
				key:    []string{"deal_id", text("lead_date"), "channel", "pipeline", "stage", "if(ended, '1', '0')", text("stayed_ms")},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Steps {
					s := &p.Steps[i]
					if !a.within(s.LeadDate) {
						continue
					}
					ended, values := "0", []int64{int64(s.Sign)}
					if s.Ended {
						ended = "1"
					}
					for _, share := range s.Shares {
						values = append(values, int64(s.Sign)*share)
					}
					do(join(s.DealID, date(int32(s.LeadDate)), s.Channel, s.Pipeline, s.Stage, ended, num(s.Stayed)), values...)
				}
			},
		},
		{
			name: "conversations against raw events",
			got: source{
				from: "throughline.conversations_log", date: "date", values: []string{"toInt64(sign)"},
				key: []string{"conversation_id", text("person_id"), "platform", ms("began_at"), text("date"), maybe("answered_at"), "manager"},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Conversations {
					if c := &p.Conversations[i]; a.within(c.Date) {
						do(join(c.ID, id(c.Person), c.Platform, num(c.Time), date(int32(c.Date)), num(c.AnsweredAt), c.Manager), int64(c.Sign))
					}
				}
			},
		},
		{
			name: "calls against raw events",
			got: source{
				from: "throughline.calls_log", date: "call_date", values: []string{"toInt64(sign)"},
				key: []string{
					"call_id", text("person_id"), ms("call_time"), text("call_date"), "direction", "status", "number", text("wait_seconds"), text("talk_seconds"), "manager", "match",
					"ifNull(toString(visitor_id), '')",
				},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Calls {
					c := &p.Calls[i]
					if !a.within(c.Date) {
						continue
					}
					direction, visitor := "in", ""
					if c.Direction == event.Out {
						direction = "out"
					}
					if c.Visitor != (event.NodeID{}) {
						visitor = id(c.Visitor)
					}
					do(join(c.ID, id(c.Person), num(c.Time), date(int32(c.Date)), direction, c.Status, c.Company, num(c.Wait), num(c.Talk), c.Manager, c.Match, visitor), int64(c.Sign))
				}
			},
		},
		{
			name: "spend against raw events",
			got: source{
				from: "throughline.spend_log", date: "date", values: []string{"toInt64(sign)", "sign * impressions", "sign * clicks", "sign * " + minor("amount")},
				key: []string{"event_id", "account", text("date"), "channel", "source", "medium", "campaign", "content", "term"},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Spends {
					if s := &p.Spends[i]; a.within(s.Date) {
						n := int64(s.Sign)
						do(join(s.EventID, s.Account, date(int32(s.Date)), dims(s.Tuple), s.Content, s.Term), n, n*s.Impressions, n*s.Clicks, n*s.Amount)
					}
				}
			},
		},
		{
			name: "identities against raw events",
			got: source{
				from: "throughline.identities_log", values: []string{"toInt64(sign)"}, key: []string{"kind", text("node_id"), text("person_id")},
			},
			expect: func(p *fact.Posting, do emit) {
				for i := range p.Identities {
					r := &p.Identities[i]
					do(join(r.Kind, id(r.Node), id(r.Person)), int64(r.Sign))
				}
			},
		},
	}
}
