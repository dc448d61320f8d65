package event

import (
	"bytes"
	"encoding/json"
	"strings"
)

// place is what the contract says about a value by where it stands.
type place uint8

const (
	anywhere     place = iota
	clientPhone        // a contact, whatever it looks like
	clientEmail        // the same
	companyPhone       // the company's own number: it stays
)

// level is an open object or array; key is the name of the member that is being read.
type level struct {
	object  bool
	wantKey bool
	key     string
}

// json scrubs every string and every number of a valid document and leaves all else as it is, byte for byte: order of
// keys, white space, numbers beyond 2^53.
func (s *scrubber) json(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	stack := make([]level, 0, 8)
	for i := 0; i < len(raw); {
		end := i + 1
		switch c := raw[i]; c {
		case '{', '[':
			stack = append(stack, level{object: c == '{', wantKey: c == '{'})
			out = append(out, c)
		case '}', ']':
			stack = stack[:len(stack)-1]
			out = append(out, c)
		case ',':
			top := &stack[len(stack)-1]
			top.wantKey = top.object
			out = append(out, c)
		case '"':
			end = stringEnd(raw, i)
			out = append(out, s.literal(raw[i:end], stack)...)
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			for end < len(raw) && strings.IndexByte("0123456789+-.eE", raw[end]) >= 0 {
				end++
			}
			out = append(out, s.number(raw[i:end])...)
		default:
			out = append(out, c)
		}
		i = end
	}
	return out
}

// stringEnd is the index after the closing quote of the string that begins at i.
func stringEnd(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// literal scrubs a string; a key is remembered on the way.
func (s *scrubber) literal(quoted []byte, stack []level) []byte {
	inner := quoted[1 : len(quoted)-1]
	key := len(stack) > 0 && stack[len(stack)-1].wantKey
	if bytes.IndexByte(inner, '\\') < 0 && !suspect(s, inner) && (key || s.placeOf(stack) == anywhere) {
		if key {
			top := &stack[len(stack)-1]
			top.wantKey, top.key = false, ""
			if len(stack) <= deepestPlace {
				top.key = keyName(inner)
			}
		}
		return quoted
	}
	v := string(quoted[1 : len(quoted)-1])
	if strings.IndexByte(v, '\\') >= 0 && json.Unmarshal(quoted, &v) != nil {
		return quoted
	}
	var clean string
	if key {
		top := &stack[len(stack)-1]
		top.wantKey, top.key = false, v
		clean = s.text(v)
	} else {
		clean = s.value(v, s.placeOf(stack))
	}
	if clean == v {
		return quoted
	}
	b, err := json.Marshal(clean)
	if err != nil {
		return []byte(`""`)
	}
	return b
}

// deepestPlace is how deep the names stand that placeOf asks for.
const deepestPlace = 2

func keyName(b []byte) string {
	if n, ok := usualNames[string(b)]; ok {
		return n
	}
	return string(b)
}

func (s *scrubber) value(v string, p place) string {
	switch {
	case p == companyPhone || (p == clientPhone || p == clientEmail) && nobodys(strings.TrimSpace(v)):
		return v
	case p == clientPhone:
		return phoneMark
	case p == clientEmail:
		return emailMark
	}
	return s.text(v)
}

func (s *scrubber) placeOf(stack []level) place {
	if len(stack) < 2 || len(stack) > 3 || len(stack) == 3 && stack[2].object {
		return anywhere
	}
	name := stack[1].key
	switch stack[0].key {
	case "identities":
		switch name {
		case "phone", "whatsapp":
			return clientPhone
		case "email":
			return clientEmail
		}
	case "call":
		switch {
		case name == "from" && s.client == In, name == "to" && s.client == Out:
			return clientPhone
		case name == "to" && s.client == In, name == "from" && s.client == Out:
			return companyPhone
		}
	case "number_lease":
		if name == "number" {
			return companyPhone
		}
	}
	return anywhere
}

func (s *scrubber) number(n []byte) []byte {
	if len(n) < minDigits || len(s.phones) == 0 {
		return n
	}
	if v := string(n); s.withoutKnown(v) != v {
		return []byte(`"` + phoneMark + `"`)
	}
	return n
}
