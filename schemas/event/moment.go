package event

import (
	"strings"
	"time"
)

// Moments that a field may hold: what the databases behind can hold as a date.
var (
	earliestMoment = time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)
	latestMoment   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// momentForm shows a sender what is wanted.
const momentForm = "RFC 3339 with an offset, such as 2026-11-01T10:00:00.123+01:00"

// parseMoment reads RFC 3339 by the letter. time.Parse is laxer: it takes a comma before the fraction, hours of one digit and
// offsets of a day, which other readers of the raw event would refuse.
func parseMoment(s string) (time.Time, bool) {
	var t time.Time
	err := t.UnmarshalText([]byte(strings.ToUpper(s))) // "t" and "z" are allowed
	return t, err == nil
}

func (o *object) moment(name string) *int64 {
	s := o.text(name)
	if s == nil {
		return nil
	}
	t, ok := parseMoment(*s)
	if !ok {
		o.fail(bad(o.at(name), "%.40q is not %s", *s, momentForm))
		return nil
	}
	if t.Before(earliestMoment) || !t.Before(latestMoment) {
		o.fail(bad(o.at(name), "%.40q is not between 1970 and 2100", *s))
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
