package journey

import (
	"github.com/throughline-io/throughline/schemas/fact"
)

// Steps is a difference that is too large to be posted at once. The same journeys give the same steps, so that one who stopped in the
// middle makes it anew and skips what was posted. After each step every conversion's credits sum to the conversion.
type Steps struct {
	why      Change
	bookings [][2]*booking // before and after
	rows     fact.Posting
	done     int // of the bookings and then of the rows
}

// MergeInSteps is Merge, to be posted in steps. All of o is moved at once.
func (x *Index) MergeInSteps(o *Index, why Change) *Steps {
	given := o.laterFacts()
	c := x.takeAll(o)
	was := &frozen{rules: x.rules, touches: x.touches.clone()}
	c.look(later{was}, later{x})
	return newSteps([]*Facts{&c.before, given}, []*Facts{&c.after}, why)
}

// DiffInSteps is Diff, to be posted in steps.
func DiffInSteps(before, after []*Index, why Change) *Steps {
	facts := func(all []*Index) (out []*Facts) {
		for _, x := range all {
			out = append(out, x.laterFacts())
		}
		return out
	}
	return newSteps(facts(before), facts(after), why)
}

func (x *Index) laterFacts() *Facts {
	return of(x.journey(), x.rules, func(w windows) windows { return later{w} })
}

func newSteps(before, after []*Facts, why Change) *Steps {
	s := &Steps{why: why}
	for old, now := range pairs(before, after, map[bookingKey]*booking{}) {
		s.bookings = append(s.bookings, [2]*booking{old, now})
	}
	diffAllRows(&s.rows, before, after)
	return s
}

// Skip passes over what was posted.
func (s *Steps) Skip(done int) { s.done = done }

// Post appends the next of it to p: as many rows and touches of windows as cost says, about; one conversion's at least. It returns how far
// it has come, and whether that was all.
func (s *Steps) Post(p *fact.Posting, cost int) (int, bool) {
	l := newLedger(p)
	defer l.done()
	for ; s.done < len(s.bookings) && cost > 0; s.done++ {
		old, now := s.bookings[s.done][0].looked(), s.bookings[s.done][1].looked()
		for _, b := range []*booking{old, now} {
			if b != nil {
				cost -= 1 + len(b.window)
			}
		}
		l.pair(old, now, s.why)
	}
	l.finish()
	skip := s.done - len(s.bookings)
	left := take(&p.Touches, s.rows.Touches, &skip, &cost, &s.done) +
		take(&p.Inquiries, s.rows.Inquiries, &skip, &cost, &s.done) +
		take(&p.Deals, s.rows.Deals, &skip, &cost, &s.done) +
		take(&p.Stages, s.rows.Stages, &skip, &cost, &s.done) +
		take(&p.Identities, s.rows.Identities, &skip, &cost, &s.done) +
		take(&p.Calls, s.rows.Calls, &skip, &cost, &s.done) +
		take(&p.Conversations, s.rows.Conversations, &skip, &cost, &s.done) +
		take(&p.Steps, s.rows.Steps, &skip, &cost, &s.done)
	return s.done, left == 0 && s.done >= len(s.bookings)
}

// take appends the next rows, after those that are to be skipped, and returns how many are left.
func take[R any](to *[]R, rows []R, skip, cost, done *int) int {
	from := min(max(*skip, 0), len(rows))
	*skip -= from
	if *cost <= 0 {
		return len(rows) - from
	}
	n := min(len(rows)-from, *cost)
	*to = append(*to, rows[from:from+n]...)
	*cost -= n
	*done += n
	return len(rows) - from - n
}
