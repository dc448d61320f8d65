package event

import (
	"regexp"
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

// rfc3339 is the letter of it. time.Parse alone is laxer: it takes a comma before the fraction, hours of one digit and offsets
// of a day, which other readers of the raw event would refuse.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func parseMoment(s string) (time.Time, bool) {
	if !rfc3339.MatchString(s) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
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
