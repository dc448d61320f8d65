package event

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object being read. The first fault stays in err, and everything read after it is zero: so a parser
// reads straight through and looks once.
type object struct {
	path   string
	fields map[string]json.RawMessage
	err    *Error
}

func newObject(path string, raw json.RawMessage) (*object, bool) {
	o := &object{path: path}
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &o.fields) != nil {
		return o, false
	}
	return o, true
}

func (o *object) at(name string) string {
	if o.path == "" {
		return name
	}
	return o.path + "." + name
}

func (o *object) fail(e *Error) {
	if o.err == nil {
		o.err = e
	}
}

// get is a field's JSON; null is as good as absent.
func (o *object) get(name string) (json.RawMessage, bool) {
	raw, ok := o.fields[name]
	if !ok || o.err != nil || bytes.Equal(raw, []byte("null")) {
		return nil, false
	}
	return raw, true
}

func (o *object) text(name string) *string {
	raw, ok := o.get(name)
	if !ok {
		return nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		o.fail(bad(o.at(name), "must be a string"))
		return nil
	}
	return &s
}

func (o *object) str(name string) string {
	if s := o.text(name); s != nil {
		return *s
	}
	return ""
}

// required is a string that must be there; empty where it is allowed to be.
func (o *object) required(name string) string {
	s := o.text(name)
	if s == nil {
		o.fail(bad(o.at(name), "is required"))
		return ""
	}
	return *s
}

// oneOf is a string of a closed list.
func (o *object) oneOf(name string, must bool, allowed ...string) *string {
	s := o.text(name)
	if s == nil {
		if must {
			o.fail(bad(o.at(name), "is required: one of %s", strings.Join(allowed, ", ")))
		}
		return nil
	}
	for _, a := range allowed {
		if *s == a {
			return s
		}
	}
	o.fail(bad(o.at(name), "%.40q is not one of %s", *s, strings.Join(allowed, ", ")))
	return nil
}

// count is a whole number that is not negative.
func (o *object) count(name string) int64 {
	raw, ok := o.get(name)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(string(raw), ".0"), 10, 64)
	if err != nil || n < 0 {
		o.fail(bad(o.at(name), "%.40s is not a whole number from 0", raw))
		return 0
	}
	return n
}

func (o *object) flag(name string) *bool {
	raw, ok := o.get(name)
	if !ok {
		return nil
	}
	var b bool
	if json.Unmarshal(raw, &b) != nil {
		o.fail(bad(o.at(name), "must be true or false"))
		return nil
	}
	return &b
}

func (o *object) money(name string) *Money {
	s := o.text(name)
	if s == nil {
		return nil
	}
	m, ok := ParseMoney(*s)
	if !ok {
		o.fail(bad(o.at(name), "%.40q is not a decimal of at most %d digits before the point and %d after", *s, moneyWhole, moneyFraction))
		return nil
	}
	return &m
}

// Moments that a field may hold: what the databases behind can hold as a date.
var (
	earliestMoment = time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)
	latestMoment   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (o *object) moment(name string) *int64 {
	s := o.text(name)
	if s == nil {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, *s)
	if err != nil {
		o.fail(bad(o.at(name), "%.40q is not RFC 3339 with an offset, such as 2026-11-01T10:00:00+01:00", *s))
		return nil
	}
	if t.Before(earliestMoment) || !t.Before(latestMoment) {
		o.fail(bad(o.at(name), "%.40q is not between 1970 and 2100", *s))
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

// object is a nested object; nil where it is absent.
func (o *object) object(name string) *object {
	raw, ok := o.get(name)
	if !ok {
		return nil
	}
	in, ok := newObject(o.at(name), raw)
	if !ok {
		o.fail(bad(o.at(name), "must be an object"))
		return nil
	}
	return in
}

// utm is the normalised tuple of a field named utm.
func (o *object) utm() UTM {
	in := o.object("utm")
	if in == nil {
		return UTM{}
	}
	u := UTM{in.str("source"), in.str("medium"), in.str("campaign"), in.str("content"), in.str("term")}
	if in.err != nil {
		o.fail(in.err)
		return UTM{}
	}
	return u.Normal()
}
