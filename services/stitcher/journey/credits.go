package journey

import (
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/attribution"
)

// oneConversion is a count of one in millionths.
const oneConversion = 1_000_000

// cell is what one touch gets of one booking under one model.
type cell struct {
	touch                *fact.Touch // nil: unattributed
	model                fact.Model
	count, revenue, cogs int64
}

// cells shares a booking among its touches under every model. Cells of nothing are left out.
func (b *booking) cells() []cell {
	n := len(b.window)
	if n == 0 {
		out := make([]cell, 0, fact.NumberOfModels)
		for m := fact.FirstTouch; m <= fact.WShaped; m++ {
			out = append(out, cell{model: m, count: b.count * oneConversion, revenue: b.revenue, cogs: b.cogs})
		}
		return out
	}
	p := attribution.Path{Touches: make([]attribution.Touch, n), End: b.end, Created: b.row.LeadTime}
	for i, t := range b.window {
		p.Touches[i] = attribution.Touch{Time: t.Time, Direct: t.Channel == directChannel}
	}
	var (
		out                  []cell
		weights              []uint64
		count, revenue, cogs []int64
	)
	for m := fact.FirstTouch; m <= fact.WShaped; m++ {
		weights = attribution.Weights(m, p, weights[:0])
		count = attribution.Share(b.count*oneConversion, weights, count[:0])
		revenue = attribution.Share(b.revenue, weights, revenue[:0])
		cogs = attribution.Share(b.cogs, weights, cogs[:0])
		for i := range weights {
			if count[i] != 0 || revenue[i] != 0 || cogs[i] != 0 {
				out = append(out, cell{b.window[i], m, count[i], revenue[i], cogs[i]})
			}
		}
	}
	return out
}

// directChannel is the channel that last_non_direct passes over.
const directChannel = "Direct"

// touchpoint is the touch of a cell as the ledger shows it.
func (b *booking) touchpoint(c cell) fact.Touchpoint {
	if c.touch != nil {
		return c.touch.Touchpoint
	}
	return fact.Touchpoint{Time: b.end, Date: b.endDate, Tuple: fact.Tuple{
		Channel: fact.Unattributed, Source: fact.None, Medium: fact.None, Campaign: fact.None, Content: fact.None, Term: fact.None,
	}}
}

// same reports that two bookings post the same credits.
func (b *booking) same(o *booking) bool {
	if b.row != o.row || b.count != o.count || b.revenue != o.revenue || b.cogs != o.cogs || b.end != o.end || len(b.window) != len(o.window) {
		return false
	}
	for i, t := range b.window {
		if u := o.window[i]; t != u && t.Touchpoint != u.Touchpoint {
			return false
		}
	}
	return true
}
