package loader

import (
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

type inquiries struct {
	head
	sign   []int8
	person []uuid.UUID
	id     []string
	kind   []string
	time   []int64
	date   []time.Time
}

func (c *inquiries) add(p *fact.Posting, r *fact.InquiryRow) {
	c.head.add(p)
	c.sign, c.person, c.id = append(c.sign, int8(r.Sign)), append(c.person, id(r.Person)), append(c.id, r.ID)
	c.kind, c.time, c.date = append(c.kind, r.Type.String()), append(c.time, r.Time), append(c.date, day(r.Date))
}

func (c *inquiries) table() table {
	return c.head.table("inquiries_log", []column{
		{"sign", c.sign}, {"person_id", c.person}, {"inquiry_id", c.id}, {"type", c.kind}, {"inquiry_time", c.time}, {"inquiry_date", c.date},
	})
}

type deals struct {
	head
	sign                                                             []int8
	person                                                           []uuid.UUID
	id, pipeline, stage, status, manager, reason, first, last, title []string
	amount, cogs                                                     []decimal.Decimal
	created                                                          []int64
	won, closed                                                      []*int64
	deleted                                                          []bool
	createdDate                                                      []time.Time
	wonDate, closedDate                                              []*time.Time
}

func (c *deals) add(p *fact.Posting, r *fact.DealRow) {
	c.head.add(p)
	c.sign, c.person, c.id = append(c.sign, int8(r.Sign)), append(c.person, id(r.Person)), append(c.id, r.ID)
	c.pipeline, c.stage, c.status = append(c.pipeline, r.Pipeline), append(c.stage, r.Stage), append(c.status, r.Status)
	c.manager, c.reason, c.title = append(c.manager, r.Manager), append(c.reason, r.Reason), append(c.title, r.Title)
	c.first, c.last = append(c.first, r.FirstChannel), append(c.last, r.LastChannel)
	c.amount, c.cogs = append(c.amount, money(r.Amount)), append(c.cogs, money(r.CostOfGoods))
	c.created, c.won, c.closed = append(c.created, r.CreatedAt), append(c.won, moment(r.WonAt)), append(c.closed, moment(r.ClosedAt))
	c.deleted, c.createdDate = append(c.deleted, r.Deleted), append(c.createdDate, day(r.CreatedDate))
	c.wonDate, c.closedDate = append(c.wonDate, maybeDay(r.WonDate)), append(c.closedDate, maybeDay(r.ClosedDate))
}

func (c *deals) table() table {
	return c.head.table("deals_log", []column{
		{"sign", c.sign}, {"deal_id", c.id}, {"person_id", c.person}, {"pipeline", c.pipeline}, {"stage", c.stage}, {"status", c.status},
		{"amount", c.amount}, {"cost_of_goods", c.cogs}, {"created_at", c.created}, {"won_at", c.won}, {"closed_at", c.closed},
		{"manager", c.manager}, {"reason", c.reason}, {"first_channel", c.first}, {"last_channel", c.last}, {"title", c.title}, {"deleted", c.deleted},
		{"created_date", c.createdDate}, {"won_date", c.wonDate}, {"closed_date", c.closedDate},
	})
}

type stages struct {
	head
	sign                           []int8
	person                         []uuid.UUID
	deal, pipeline, stage, manager []string
	entered                        []int64
	left                           []*int64
	date                           []time.Time
}

func (c *stages) add(p *fact.Posting, r *fact.StageRow) {
	c.head.add(p)
	c.sign, c.person, c.deal = append(c.sign, int8(r.Sign)), append(c.person, id(r.Person)), append(c.deal, r.DealID)
	c.pipeline, c.stage, c.manager = append(c.pipeline, r.Pipeline), append(c.stage, r.Stage), append(c.manager, r.Manager)
	c.entered, c.left, c.date = append(c.entered, r.EnteredAt), append(c.left, moment(r.LeftAt)), append(c.date, day(r.EnteredDate))
}

func (c *stages) table() table {
	return c.head.table("deal_stages_log", []column{
		{"sign", c.sign}, {"person_id", c.person}, {"deal_id", c.deal}, {"pipeline", c.pipeline}, {"stage", c.stage}, {"entered_at", c.entered},
		{"left_at", c.left}, {"manager", c.manager}, {"entered_date", c.date},
	})
}

type identities struct {
	head
	sign         []int8
	kind         []string
	node, person []uuid.UUID
}

func (c *identities) emptied() identities {
	return identities{c.head.emptied(), c.sign[:0], c.kind[:0], c.node[:0], c.person[:0]}
}

func (c *identities) add(p *fact.Posting, r *fact.IdentityRow) {
	c.head.add(p)
	c.sign, c.kind = append(c.sign, int8(r.Sign)), append(c.kind, r.Kind)
	c.node, c.person = append(c.node, id(r.Node)), append(c.person, id(r.Person))
}

func (c *identities) table() table {
	return c.head.table("identities_log", []column{{"sign", c.sign}, {"kind", c.kind}, {"node_id", c.node}, {"person_id", c.person}})
}

type calls struct {
	head
	sign                                          []int8
	person                                        []uuid.UUID
	id, direction, status, number, manager, match []string
	time                                          []int64
	date                                          []time.Time
	wait, talk                                    []uint32
	visitor                                       []*uuid.UUID
}

func (c *calls) add(p *fact.Posting, r *fact.CallRow) {
	direction := "in"
	if r.Direction == event.Out {
		direction = "out"
	}
	c.head.add(p)
	c.sign, c.person, c.id = append(c.sign, int8(r.Sign)), append(c.person, id(r.Person)), append(c.id, r.ID)
	c.direction, c.status, c.number = append(c.direction, direction), append(c.status, r.Status), append(c.number, r.Company)
	c.manager, c.match, c.visitor = append(c.manager, r.Manager), append(c.match, r.Match), append(c.visitor, maybeID(r.Visitor))
	c.time, c.date = append(c.time, r.Time), append(c.date, day(r.Date))
	c.wait, c.talk = append(c.wait, seconds(r.Wait)), append(c.talk, seconds(r.Talk))
}

// seconds fits a count into its column: what is longer than a century stays that long, and does not begin anew at zero.
func seconds(n int64) uint32 { return uint32(min(n, math.MaxUint32)) }

func (c *calls) table() table {
	return c.head.table("calls_log", []column{
		{"sign", c.sign}, {"person_id", c.person}, {"call_id", c.id}, {"call_time", c.time}, {"call_date", c.date}, {"direction", c.direction},
		{"status", c.status}, {"number", c.number}, {"wait_seconds", c.wait}, {"talk_seconds", c.talk}, {"manager", c.manager}, {"match", c.match},
		{"visitor_id", c.visitor},
	})
}

type conflicts struct {
	head
	source, id []string
	content    []uint64
}

func (c *conflicts) add(p *fact.Posting, r *fact.Conflict) {
	c.head.add(p)
	c.source, c.id, c.content = append(c.source, r.Source), append(c.id, r.EventID), append(c.content, r.Content)
}

func (c *conflicts) table() table {
	return c.head.table("conflicts", []column{{"source", c.source}, {"event_id", c.id}, {"content", c.content}})
}
