package journey

import (
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/attribution"
)

// oneConversion is a count of one in millionths.
const oneConversion = 1_000_000

// sharing shares a booking among its touches, one model after another. Its slices are used again.
type sharing struct {
	path                 attribution.Path
	weights              []uint64
	count, revenue, cogs []int64
	cells                []int
}

// prepare looks at the touches of a booking that has any.
func (s *sharing) prepare(b *booking) {
	s.path.End, s.path.Created = b.end, b.row.LeadTime
	s.path.Touches = s.path.Touches[:0]
	for _, t := range b.window {
		s.path.Touches = append(s.path.Touches, attribution.Touch{Time: t.Time, Direct: t.Channel == directChannel})
	}
}

// by shares under a model.
func (s *sharing) by(m fact.Model, b *booking) {
	s.weights = attribution.Weights(m, s.path, s.weights[:0])
	s.count = s.of(b.count*oneConversion, s.count[:0])
	s.revenue = s.of(b.revenue, s.revenue[:0])
	s.cogs = s.of(b.cogs, s.cogs[:0])
}

// of shares an amount; of nothing there are no parts.
func (s *sharing) of(amount int64, to []int64) []int64 {
	if amount == 0 {
		return to
	}
	return attribution.Share(amount, s.weights, to)
}

// part is what the i-th touch gets.
func (s *sharing) part(i int) (a amounts) {
	if len(s.count) > 0 {
		a.count = s.count[i]
	}
	if len(s.revenue) > 0 {
		a.revenue = s.revenue[i]
	}
	if len(s.cogs) > 0 {
		a.cogs = s.cogs[i]
	}
	return a
}

// directChannel is the channel that last_non_direct passes over.
const directChannel = "Direct"

// nowhere is the touchpoint of a booking that no touch explains.
func (b *booking) nowhere() fact.Touchpoint {
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
