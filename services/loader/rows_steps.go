package loader

import (
	"time"

	"github.com/google/uuid"

	"github.com/throughline-io/throughline/schemas/fact"
)

type conversations struct {
	head
	sign                  []int8
	person                []uuid.UUID
	id, platform, manager []string
	began                 []int64
	date                  []time.Time
	answered              []*int64
}

func (c *conversations) add(p *fact.Posting, r *fact.ConversationRow) {
	c.head.add(p)
	c.sign, c.person, c.id = append(c.sign, int8(r.Sign)), append(c.person, id(r.Person)), append(c.id, r.ID)
	c.platform, c.manager = append(c.platform, r.Platform), append(c.manager, r.Manager)
	c.began, c.date, c.answered = append(c.began, r.Time), append(c.date, day(r.Date)), append(c.answered, moment(r.AnsweredAt))
}

func (c *conversations) table() table {
	return c.head.table("conversations_log", []column{
		{"sign", c.sign}, {"person_id", c.person}, {"conversation_id", c.id}, {"platform", c.platform}, {"began_at", c.began}, {"date", c.date},
		{"answered_at", c.answered}, {"manager", c.manager},
	})
}

type steps struct {
	head
	sign                           []int8
	deal, channel, pipeline, stage []string
	lead                           []time.Time
	ended                          []bool
	stayed                         []int64
	shares                         [][]int64
}

func (c *steps) emptied() steps {
	return steps{
		head: c.head.emptied(), sign: c.sign[:0], deal: c.deal[:0], channel: c.channel[:0], pipeline: c.pipeline[:0], stage: c.stage[:0],
		lead: c.lead[:0], ended: c.ended[:0], stayed: c.stayed[:0], shares: c.shares[:0],
	}
}

func (c *steps) add(p *fact.Posting, r *fact.StepRow) {
	c.head.add(p)
	c.sign, c.deal, c.lead = append(c.sign, int8(r.Sign)), append(c.deal, r.DealID), append(c.lead, day(r.LeadDate))
	c.channel, c.pipeline, c.stage = append(c.channel, r.Channel), append(c.pipeline, r.Pipeline), append(c.stage, r.Stage)
	c.ended, c.stayed, c.shares = append(c.ended, r.Ended), append(c.stayed, r.Stayed), append(c.shares, r.Shares[:])
}

func (c *steps) table() table {
	return c.head.table("deal_steps_log", []column{
		{"sign", c.sign}, {"deal_id", c.deal}, {"lead_date", c.lead}, {"channel", c.channel}, {"pipeline", c.pipeline}, {"stage", c.stage},
		{"ended", c.ended}, {"stayed_ms", c.stayed}, {"shares", c.shares},
	})
}
