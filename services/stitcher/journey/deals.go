package journey

import (
	"cmp"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Statuses of a deal.
const (
	open = "open"
	won  = "won"
	lost = "lost"
)

// deal is the state of a fold, and what comes of it: rows and bookings that know no touches yet.
type deal struct {
	rules   *Rules
	id      string
	created int64

	row      fact.DealRow
	stages   []fact.StageRow
	bookings []booking

	amount, cost *event.Money
	currency     string

	isWon         bool
	sale          *event.Event // the one that began the won interval
	revenue, cogs int64        // what stands of the interval

	ending ending

	stay                    *fact.StageRow
	lastStage, lastPipeline string // of the stay before
}

// dealID names a deal in the workspace.
func dealID(e *event.Event) string { return e.Source + "/" + e.Deal.ID }

// fold reads a deal's events in (time, id) order. Events of one deal are of one source, so the order of keys is the order of
// ids.
func fold(person event.NodeID, id string, events []*event.Event, r *Rules) *deal {
	d := &deal{rules: r, id: id, created: creation(events)}
	d.row = fact.DealRow{Person: person, ID: id, Status: open, CreatedAt: d.created}
	d.book(events[0], fact.Deal, d.created, d.created, 1, 0, 0)
	for _, e := range events {
		d.apply(e.Deal)
		d.settleSale(e)
		d.settleStage(e)
		d.settleClose(e)
	}
	d.leave(0)
	d.row.CreatedDate, d.row.WonDate, d.row.ClosedDate = r.dateOf(d.created), r.dateOf(d.row.WonAt), r.dateOf(d.row.ClosedAt)
	return d
}

// creation is the smallest of created_at of any event and the event times.
func creation(events []*event.Event) int64 {
	c := events[0].Time
	for _, e := range events {
		if e.Deal.CreatedAt != nil {
			c = min(c, *e.Deal.CreatedAt)
		}
	}
	return c
}

// apply takes over the fields that the snapshot has.
func (d *deal) apply(s *event.DealData) {
	set := func(to *string, v *string) {
		if v != nil {
			*to = *v
		}
	}
	set(&d.row.Pipeline, s.Pipeline)
	set(&d.row.Stage, s.Stage)
	set(&d.row.Status, s.Status)
	set(&d.row.Manager, s.Manager)
	set(&d.row.Reason, s.Reason)
	set(&d.row.Title, s.Title)
	set(&d.currency, s.Currency)
	d.amount, d.cost = cmp.Or(s.Amount, d.amount), cmp.Or(s.CostOfGoods, d.cost)
	if s.Deleted != nil {
		d.row.Deleted = *s.Deleted
	}
	if s.Amount != nil || s.Currency != nil {
		d.row.Amount = d.rules.minor(d.amount, d.currency)
	}
	if s.CostOfGoods != nil || s.Currency != nil {
		d.row.CostOfGoods = d.rules.minor(d.cost, d.currency)
	}
}

// settleSale books what the event changed of the won interval.
func (d *deal) settleSale(e *event.Event) {
	is := d.row.Status == won && !d.row.Deleted
	switch {
	case is && !d.isWon:
		d.sale, d.revenue, d.cogs = e, d.row.Amount, d.row.CostOfGoods
		d.bookSale(e, 1, d.revenue, d.cogs)
		d.row.WonAt = e.Time
	case is && (d.row.Amount != d.revenue || d.row.CostOfGoods != d.cogs):
		d.bookSale(e, 0, d.row.Amount-d.revenue, d.row.CostOfGoods-d.cogs)
		d.revenue, d.cogs = d.row.Amount, d.row.CostOfGoods
	case !is && d.isWon:
		d.bookSale(e, -1, -d.revenue, -d.cogs)
		d.row.WonAt = 0
	}
	d.isWon = is
}

func (d *deal) bookSale(e *event.Event, count, revenue, cogs int64) {
	d.book(e, fact.Sale, d.sale.Time, e.Time, count, revenue, cogs)
}

// settleClose keeps when the deal last became won, lost or deleted.
func (d *deal) settleClose(e *event.Event) {
	as := ending{d.row.Status, d.row.Deleted}
	switch {
	case !d.isClosed():
		d.row.ClosedAt = 0
	case d.row.ClosedAt == 0 || as != d.ending: // a lost deal that is won after all was closed when it was won
		d.row.ClosedAt = e.Time
	}
	d.ending = as
}

// ending is how a deal is closed.
type ending struct {
	status  string
	deleted bool
}

func (d *deal) isClosed() bool { return d.row.Deleted || d.row.Status == won || d.row.Status == lost }

// settleStage ends the stay in a stage when the stage changes or the deal closes, and begins the next. A snapshot that
// moves a deal and closes it at once still shows that the stage was reached, for no time.
func (d *deal) settleStage(e *event.Event) {
	closed, last := d.isClosed(), d.stay
	if last != nil && (closed || last.Stage != d.row.Stage || last.Pipeline != d.row.Pipeline) {
		d.leave(e.Time)
	}
	if d.stay != nil || d.row.Stage == "" || closed && !d.moved() {
		return
	}
	d.stay = &fact.StageRow{
		Person: d.row.Person, DealID: d.id, Pipeline: d.row.Pipeline, Stage: d.row.Stage, EnteredAt: e.Time, Manager: d.row.Manager,
		EnteredDate: d.rules.dateOf(e.Time),
	}
	if closed {
		d.leave(e.Time)
	}
}

// moved reports that the deal is in another stage than its last stay was in.
func (d *deal) moved() bool { return d.row.Stage != d.lastStage || d.row.Pipeline != d.lastPipeline }

func (d *deal) leave(at int64) {
	if d.stay != nil {
		d.stay.LeftAt = at
		d.lastStage, d.lastPipeline = d.stay.Stage, d.stay.Pipeline
		d.stages = append(d.stages, *d.stay)
		d.stay = nil
	}
}

// credited is the row with the channels that are credited: of the sale if it is won, else of the deal.
func (d *deal) credited(w windows) fact.DealRow {
	end := d.created
	if d.isWon {
		end = d.sale.Time
	}
	row := d.row
	row.FirstChannel, row.LastChannel = fact.Unattributed, fact.Unattributed
	if touches := w.window(min(d.created, end), end); len(touches) > 0 {
		row.FirstChannel, row.LastChannel = touches[0].Channel, touches[len(touches)-1].Channel
	}
	return row
}

// whole adds all that the deal implies.
func (d *deal) whole(f *Facts, w windows) {
	f.deals = append(f.deals, d.credited(w))
	f.stages = append(f.stages, d.stages...)
	for _, b := range d.bookings {
		b.look(w)
		f.bookings = append(f.bookings, b)
		d.addSteps(f, &b)
	}
}
