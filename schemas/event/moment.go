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

// parseMoment holds a moment to the letter of RFC 3339. time.Parse alone is laxer: it takes a comma before the fraction, hours of
// one digit and offsets of a day, which other readers of the raw event would refuse.
func parseMoment(s string) (time.Time, bool) {
	if !isMoment(s) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s))
	return t, err == nil
}

// isMoment reports the form; which days a month has is left to time.Parse.
func isMoment(s string) bool {
	const date, clock = "dddd-dd-ddT", "hh:mm:mm"
	if !hasForm(s, date+clock) {
		return false
	}
	s = s[len(date)+len(clock):]
	if s != "" && s[0] == '.' {
		n := 1
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		if n == 1 {
			return false
		}
		s = s[n:]
	}
	if s == "Z" || s == "z" {
		return true
	}
	return len(s) == len("+hh:mm") && (s[0] == '+' || s[0] == '-') && hasForm(s[1:], "hh:mm")
}

// hasForm reports that s begins as a form says: d any digit, hh 00 to 23, mm 00 to 59, T in either case, else itself.
func hasForm(s, form string) bool {
	if len(s) < len(form) {
		return false
	}
	for i := 0; i < len(form); i++ {
		switch c := s[i]; form[i] {
		case 'd':
			if !isDigit(c) {
				return false
			}
		case 'h', 'm':
			if !isDigit(c) || !isDigit(s[i+1]) || form[i] == 'm' && c > '5' || form[i] == 'h' && (c > '2' || c == '2' && s[i+1] > '3') {
				return false
			}
			i++
		case 'T':
			if c|0x20 != 't' {
				return false
			}
		default:
			if c != form[i] {
				return false
			}
		}
	}
	return true
}

func (o *object) moment(name string) *int64 {
	s, ok := o.read(name)
	if !ok {
		return nil
	}
	t, ok := parseMoment(s)
	if !ok {
		o.fail(bad(o.at(name), "%.40q is not %s", s, momentForm))
		return nil
	}
	if t.Before(earliestMoment) || !t.Before(latestMoment) {
		o.fail(bad(o.at(name), "%.40q is not between 1970 and 2100", s))
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
