package event

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// object is a JSON object being read. The first fault stays in err, and everything read after it is zero: so a parser
// reads straight through and looks once.
type object struct {
	path   string
	fields fields
	err    *Error
}

// newObject reads a part of a document that is valid as a whole.
func newObject(path string, raw json.RawMessage) (*object, bool) {
	o := &object{path: path}
	if len(raw) == 0 || raw[0] != '{' {
		return o, false
	}
	o.fields = members(raw)
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
	raw, ok := o.fields.find(name)
	if !ok || o.err != nil || bytes.Equal(raw, []byte("null")) {
		return nil, false
	}
	return raw, true
}

// text is nil where the field is absent.
func (o *object) text(name string) *string {
	if s, ok := o.read(name); ok {
		return &s
	}
	return nil
}

func (o *object) read(name string) (string, bool) {
	raw, ok := o.get(name)
	if !ok {
		return "", false
	}
	if raw[0] == '"' {
		if s, ok := plainText(raw); ok {
			return s, true
		}
	}
	o.fail(bad(o.at(name), "must be a string"))
	return "", false
}

func (o *object) str(name string) string {
	s, _ := o.read(name)
	return s
}

// required is a string that must be there; empty where it is allowed to be.
func (o *object) required(name string) string {
	s, ok := o.read(name)
	if !ok {
		o.fail(bad(o.at(name), "is required"))
	}
	return s
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

// MaxCount is the largest count that a field may hold: beyond it a JSON number is no longer exact in most languages.
const MaxCount = 1<<53 - 1

// count is a whole number that is not negative, in any spelling that JSON has for it.
func (o *object) count(name string) int64 {
	raw, ok := o.get(name)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		f, notNumber := strconv.ParseFloat(string(raw), 64) // 5.0 and 1e3 are whole too
		if notNumber != nil || f != math.Trunc(f) || f < 0 || f > MaxCount {
			n = -1
		} else {
			n = int64(f)
		}
	}
	if n < 0 || n > MaxCount {
		o.fail(bad(o.at(name), "%.40s is not a whole number from 0 to 2^53-1", raw))
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
	s, ok := o.read(name)
	if !ok {
		return nil
	}
	m, ok := ParseMoney(s)
	if !ok {
		o.fail(bad(o.at(name), "%.40q is not a decimal of at most %d digits before the point and %d after", s, moneyWhole, moneyFraction))
		return nil
	}
	return &m
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
