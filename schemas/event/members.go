package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// member is one name of an object and its value.
type member struct {
	name  string
	value json.RawMessage
}

// fields are the members of an object as they stand there. Of two with one name the later counts. Most objects have few, so
// a walk finds one sooner than a map would.
type fields []member

func (f fields) find(name string) (json.RawMessage, bool) {
	for i := len(f) - 1; i >= 0; i-- {
		if f[i].name == name {
			return f[i].value, true
		}
	}
	return nil, false
}

// sorted is each name once, in order.
func (f fields) sorted() fields {
	byName := slices.Clone(f)
	slices.SortStableFunc(byName, func(a, b member) int { return strings.Compare(a.name, b.name) })
	out := byName[:0]
	for i, m := range byName {
		if i+1 == len(byName) || byName[i+1].name != m.name {
			out = append(out, m)
		}
	}
	return out
}

// usualNames are the names that nearly all members have: one string serves all of them.
var usualNames = func() map[string]string {
	m := map[string]string{}
	for _, n := range []string{
		"id", "type", "source", "time", "identities", "visit", "call", "message", "form", "deal", "spend", "identify", "number_lease",
		"url", "referrer", "utm", "click_ids", "title", "medium", "campaign", "content", "term", "direction", "from", "to", "status",
		"wait_seconds", "talk_seconds", "manager", "recording_url", "platform", "ref", "form_id", "pipeline", "stage", "amount",
		"cost_of_goods", "currency", "reason", "created_at", "deleted", "date", "account", "impressions", "clicks", "number", "until",
		"anonymous_id", "phone", "email", "user_id", "crm_contact",
	} {
		m[n] = n
	}
	return m
}()

// members splits a JSON object that is known to be valid, as json.Unmarshal into a map of raw messages does, without
// checking again what was checked once: reading a nested object costs its own length and not that of all within it.
func members(raw []byte) fields {
	out := make(fields, 0, 8)
	for i := nextToken(raw, 1); raw[i] != '}'; i = nextToken(raw, i) {
		if raw[i] == ',' {
			i = nextToken(raw, i+1)
		}
		end := stringEnd(raw, i)
		name, ok := usualNames[string(raw[i+1:end-1])]
		if !ok {
			name, ok = plainText(raw[i:end])
		}
		from := nextToken(raw, nextToken(raw, end)+1) // past the colon
		i = valueEnd(raw, from)
		if ok {
			out = append(out, member{name, raw[from:i:i]})
		}
	}
	return out
}

// nextToken is the index of the first byte from i on that is not white space.
func nextToken(raw []byte, i int) int {
	for raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\r' || raw[i] == '\t' {
		i++
	}
	return i
}

// valueEnd is the index after the value that begins at i.
func valueEnd(raw []byte, i int) int {
	depth := 0
	for {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		default:
			i++
			if depth == 0 { // a number or a literal: up to what follows it
				for i < len(raw) && bytes.IndexByte([]byte(" \n\r\t,]}"), raw[i]) < 0 {
					i++
				}
			}
		}
		if depth == 0 {
			return i
		}
	}
}

// plainText is the text of a quoted string; most have no escape in them.
func plainText(quoted []byte) (string, bool) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1]), true
	}
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err == nil
}
