package loader

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// tuple is the six columns that say where a touch came from.
type tuple struct{ channel, source, medium, campaign, content, term []string }

func (c *tuple) add(t *fact.Tuple) {
	c.channel, c.source, c.medium = append(c.channel, t.Channel), append(c.source, t.Source), append(c.medium, t.Medium)
	c.campaign, c.content, c.term = append(c.campaign, t.Campaign), append(c.content, t.Content), append(c.term, t.Term)
}

func (c *tuple) emptied() tuple {
	return tuple{c.channel[:0], c.source[:0], c.medium[:0], c.campaign[:0], c.content[:0], c.term[:0]}
}

func (c *tuple) columns() []column {
	return []column{
		{"channel", c.channel}, {"source", c.source}, {"medium", c.medium}, {"campaign", c.campaign}, {"content", c.content}, {"term", c.term},
	}
}

// head is the columns that all posted rows begin with.
type head struct {
	workspace []string
	recorded  []int64
}

func (h *head) add(p *fact.Posting) {
	h.workspace, h.recorded = append(h.workspace, p.Workspace), append(h.recorded, p.RecordedAt)
}

func (h *head) emptied() head { return head{h.workspace[:0], h.recorded[:0]} }

func (h *head) columns() []column {
	return []column{{"workspace", h.workspace}, {"recorded_at", h.recorded}}
}

func (h *head) table(name string, more ...[]column) table {
	t := table{name: name, columns: h.columns(), n: len(h.workspace)}
	for _, c := range more {
		t.columns = append(t.columns, c...)
	}
	return t
}

type credits struct {
	head
	tuple
	cause, causeType, conversion, conversionID, model, touchID []string
	person                                                     []uuid.UUID
	touch, lead, sale, booked                                  []int64
	touchDate, leadDate, saleDate, bookedDate                  []time.Time
	conversions, revenue, cogs                                 []decimal.Decimal
	shares, amounts                                            decimals
}

func (c *credits) emptied() credits {
	return credits{
		head: c.head.emptied(), tuple: c.tuple.emptied(), cause: c.cause[:0], causeType: c.causeType[:0], conversion: c.conversion[:0],
		conversionID: c.conversionID[:0], model: c.model[:0], touchID: c.touchID[:0], person: c.person[:0], touch: c.touch[:0], lead: c.lead[:0],
		sale: c.sale[:0], booked: c.booked[:0], touchDate: c.touchDate[:0], leadDate: c.leadDate[:0], saleDate: c.saleDate[:0],
		bookedDate: c.bookedDate[:0], conversions: c.conversions[:0], revenue: c.revenue[:0], cogs: c.cogs[:0], shares: c.shares, amounts: c.amounts,
	}
}

func (c *credits) add(p *fact.Posting, e *fact.Credit) {
	b, t := &p.Bookings[e.Booking], &p.Touchpoints[e.Touch]
	c.head.add(p)
	c.tuple.add(&t.Tuple)
	c.cause, c.causeType = append(c.cause, p.Cause), append(c.causeType, b.CauseType.String())
	c.conversion, c.conversionID = append(c.conversion, b.Conversion.String()), append(c.conversionID, b.ID)
	c.model, c.touchID, c.person = append(c.model, e.Model.String()), append(c.touchID, t.ID), append(c.person, id(b.Person))
	c.touch, c.lead = append(c.touch, t.Time), append(c.lead, b.LeadTime)
	c.sale, c.booked = append(c.sale, b.SaleTime), append(c.booked, b.BookedTime)
	c.touchDate, c.leadDate = append(c.touchDate, day(t.Date)), append(c.leadDate, day(b.LeadDate))
	c.saleDate, c.bookedDate = append(c.saleDate, day(b.SaleDate)), append(c.bookedDate, day(b.BookedDate))
	c.conversions = append(c.conversions, c.shares.of(e.Conversions, share))
	c.revenue, c.cogs = append(c.revenue, c.amounts.of(e.Revenue, money)), append(c.cogs, c.amounts.of(e.CostOfGoods, money))
}

func (c *credits) table() table {
	return c.head.table("credits", c.tuple.columns(), []column{
		{"cause", c.cause}, {"cause_type", c.causeType}, {"person_id", c.person}, {"conversion", c.conversion}, {"conversion_id", c.conversionID},
		{"model", c.model}, {"touch_id", c.touchID}, {"touch_time", c.touch}, {"lead_time", c.lead}, {"sale_time", c.sale}, {"booked_time", c.booked},
		{"conversions", c.conversions}, {"revenue", c.revenue}, {"cost_of_goods", c.cogs},
		{"touch_date", c.touchDate}, {"lead_date", c.leadDate}, {"sale_date", c.saleDate}, {"booked_date", c.bookedDate},
	})
}

type touches struct {
	head
	tuple
	sign   []int8
	kind   []string
	person []uuid.UUID
	id     []string
	time   []int64
	date   []time.Time
}

func (c *touches) emptied() touches {
	return touches{c.head.emptied(), c.tuple.emptied(), c.sign[:0], c.kind[:0], c.person[:0], c.id[:0], c.time[:0], c.date[:0]}
}

func (c *touches) add(p *fact.Posting, r *fact.Touch) {
	c.head.add(p)
	c.tuple.add(&r.Tuple)
	c.sign, c.kind, c.person = append(c.sign, int8(r.Sign)), append(c.kind, r.Type.String()), append(c.person, id(r.Person))
	c.id, c.time, c.date = append(c.id, r.ID), append(c.time, r.Time), append(c.date, day(r.Date))
}

func (c *touches) table() table {
	return c.head.table("touches_log", c.tuple.columns(), []column{
		{"sign", c.sign}, {"type", c.kind}, {"person_id", c.person}, {"touch_id", c.id}, {"touch_time", c.time}, {"touch_date", c.date},
	})
}

type spends struct {
	head
	tuple
	sign                []int8
	event, account      []string
	date                []time.Time
	impressions, clicks []int64
	amount              []decimal.Decimal
}

func (c *spends) add(p *fact.Posting, r *fact.SpendRow) {
	c.head.add(p)
	c.tuple.add(&r.Tuple)
	c.sign, c.event, c.account = append(c.sign, int8(r.Sign)), append(c.event, r.EventID), append(c.account, r.Account)
	c.date, c.impressions, c.clicks = append(c.date, day(r.Date)), append(c.impressions, r.Impressions), append(c.clicks, r.Clicks)
	c.amount = append(c.amount, money(r.Amount))
}

func (c *spends) table() table {
	return c.head.table("spend_log", c.tuple.columns(), []column{
		{"sign", c.sign}, {"event_id", c.event}, {"account", c.account}, {"date", c.date}, {"impressions", c.impressions}, {"clicks", c.clicks},
		{"amount", c.amount},
	})
}

type events struct {
	workspace, source, id, kind, raw, wire []string
	content                                []uint64
	time, received                         []int64
	kinds                                  [][]string
	nodes                                  [][]uuid.UUID
	partition                              []int32
	offset                                 []int64
}

func (c *events) emptied() events {
	return events{
		workspace: c.workspace[:0], source: c.source[:0], id: c.id[:0], kind: c.kind[:0], raw: c.raw[:0], wire: c.wire[:0], content: c.content[:0],
		time: c.time[:0], received: c.received[:0], kinds: c.kinds[:0], nodes: c.nodes[:0], partition: c.partition[:0], offset: c.offset[:0],
	}
}

func (c *events) add(e *event.Event, partition int32, offset int64) {
	kinds, nodes := make([]string, len(e.Nodes)), make([]uuid.UUID, len(e.Nodes))
	for i, n := range e.Nodes {
		kinds[i], nodes[i] = n.Kind, id(n.ID)
	}
	bare := *e
	bare.Raw = nil
	c.workspace, c.source, c.id = append(c.workspace, e.Workspace), append(c.source, e.Source), append(c.id, e.ID)
	c.kind, c.raw, c.wire = append(c.kind, e.Type.String()), append(c.raw, string(e.Raw)), append(c.wire, string(bare.Append(nil)))
	c.content, c.time, c.received = append(c.content, e.Content), append(c.time, e.Time), append(c.received, e.Received)
	c.kinds, c.nodes = append(c.kinds, kinds), append(c.nodes, nodes)
	c.partition, c.offset = append(c.partition, partition), append(c.offset, offset)
}

func (c *events) table() table {
	return table{name: "events_log", n: len(c.id), columns: []column{
		{"workspace", c.workspace}, {"source", c.source}, {"id", c.id}, {"content", c.content}, {"type", c.kind}, {"time", c.time},
		{"received_at", c.received}, {"node_kinds", c.kinds}, {"node_ids", c.nodes}, {"raw", c.raw}, {"wire", c.wire}, {"partition", c.partition}, {"offset", c.offset},
	}}
}
