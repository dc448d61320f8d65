package fact

// Split cuts a posting into parts of at most max credits (max ≥ 1), each with only the bookings and touchpoints that it
// uses. The parts add up to the whole; the first has everything that is no credit. A posting that is small enough is returned as
// it is.
func Split(p *Posting, max int) []*Posting {
	if len(p.Credits) <= max {
		return []*Posting{p}
	}
	var out []*Posting
	for from := 0; from < len(p.Credits); from += max {
		part := &Posting{Workspace: p.Workspace, RecordedAt: p.RecordedAt, Cause: p.Cause}
		if from == 0 {
			*part = *p
			part.Bookings, part.Touchpoints, part.Credits = nil, nil, nil
		}
		part.take(p, p.Credits[from:min(from+max, len(p.Credits))])
		out = append(out, part)
	}
	return out
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
