package fact

// Split cuts a posting into parts of at most max credits and at most max rows of each other kind, so that no record is too large.
// The parts sum to the posting, in any order.
func Split(p *Posting, max int) []*Posting {
	if p.Fits(max) {
		return []*Posting{p}
	}
	var out []*Posting
	for from := 0; from < p.longest(); from += max {
		part := &Posting{Workspace: p.Workspace, RecordedAt: p.RecordedAt, Cause: p.Cause}
		part.take(p, cut(p.Credits, from, max))
		part.Touches, part.Inquiries, part.Deals = cut(p.Touches, from, max), cut(p.Inquiries, from, max), cut(p.Deals, from, max)
		part.Stages, part.Identities, part.Calls = cut(p.Stages, from, max), cut(p.Identities, from, max), cut(p.Calls, from, max)
		part.Spends, part.Conflicts = cut(p.Spends, from, max), cut(p.Conflicts, from, max)
		part.Conversations, part.Steps = cut(p.Conversations, from, max), cut(p.Steps, from, max)
		out = append(out, part)
	}
	return out
}

// Fits reports that there is nothing to be cut.
func (p *Posting) Fits(max int) bool { return p.longest() <= max }

func cut[T any](rows []T, from, max int) []T {
	from = min(from, len(rows))
	return rows[from:min(from+max, len(rows))]
}

// longest is how many rows the kind has that has most.
func (p *Posting) longest() int {
	return max(len(p.Credits), len(p.Touches), len(p.Inquiries), len(p.Deals), len(p.Stages), len(p.Identities), len(p.Calls), len(p.Spends), len(p.Conflicts),
		len(p.Conversations), len(p.Steps))
}

// take copies credits of another posting with what they refer to.
func (p *Posting) take(from *Posting, credits []Credit) {
	bookings, touchpoints := map[int]int{}, map[int]int{}
	for _, c := range credits {
		b, ok := bookings[c.Booking]
		if !ok {
			b = len(p.Bookings)
			bookings[c.Booking] = b
			p.Bookings = append(p.Bookings, from.Bookings[c.Booking])
		}
		t, ok := touchpoints[c.Touch]
		if !ok {
			t = len(p.Touchpoints)
			touchpoints[c.Touch] = t
			p.Touchpoints = append(p.Touchpoints, from.Touchpoints[c.Touch])
		}
		c.Booking, c.Touch = b, t
		p.Credits = append(p.Credits, c)
	}
}
