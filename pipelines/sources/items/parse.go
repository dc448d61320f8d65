package items

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// parser reads one JSON value in one pass and holds it to the limits as it goes. encoding/json would scan it three times: for its end, for
// the limits and for the values; half of what a webhook costs is this. A fuzz test holds it to what encoding/json reads.
type parser struct {
	b      []byte
	at     int
	values int
}

var errEnd = io.ErrUnexpectedEOF

func (p *parser) wrong(where string) error {
	if p.at >= len(p.b) {
		return errEnd
	}
	r, _ := utf8.DecodeRune(p.b[p.at:])
	return fmt.Errorf("invalid character %q %s (byte %d)", r, where, p.at)
}

func (p *parser) blanks() {
	for p.at < len(p.b) {
		switch p.b[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// value reads the value at p.at, which no blank precedes.
func (p *parser) value(depth int) (any, error) {
	if p.at >= len(p.b) {
		return nil, errEnd
	}
	if p.values++; p.values > MaxValues {
		return nil, beyond("values in one item", MaxValues)
	}
	switch c := p.b[p.at]; {
	case c == '{':
		return p.object(depth + 1)
	case c == '[':
		return p.array(depth + 1)
	case c == '"':
		return p.text()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return true, p.word("true")
	case c == 'f':
		return false, p.word("false")
	case c == 'n':
		return nil, p.word("null")
	}
	return nil, p.wrong("looking for beginning of value")
}

func (p *parser) word(w string) error {
	for i := range len(w) {
		if p.at >= len(p.b) || p.b[p.at] != w[i] {
			return p.wrong("in literal " + w)
		}
		p.at++
	}
	return nil
}

func (p *parser) object(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, beyond("levels of nesting", MaxDepth)
	}
	out := map[string]any{}
	p.at++
	for p.blanks(); ; p.blanks() {
		switch {
		case p.at >= len(p.b):
			return nil, errEnd
		case p.b[p.at] == '}' && len(out) == 0:
			p.at++
			return out, nil
		case p.b[p.at] != '"':
			return nil, p.wrong("looking for beginning of object key string")
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if p.blanks(); p.at >= len(p.b) || p.b[p.at] != ':' {
			return nil, p.wrong("after object key")
		}
		p.at++
		p.blanks()
		if out[name], err = p.value(depth); err != nil {
			return nil, err
		}
		p.blanks()
		switch {
		case p.at < len(p.b) && p.b[p.at] == ',':
			p.at++
			if p.blanks(); p.at < len(p.b) && p.b[p.at] == '}' {
				return nil, p.wrong("looking for beginning of object key string")
			}
		case p.at < len(p.b) && p.b[p.at] == '}':
			p.at++
			return out, nil
		default:
			return nil, p.wrong("after object key:value pair")
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	if depth > MaxDepth {
		return nil, beyond("levels of nesting", MaxDepth)
	}
	out := []any{}
	p.at++
	if p.blanks(); p.at < len(p.b) && p.b[p.at] == ']' {
		p.at++
		return out, nil
	}
	for {
		p.blanks()
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		p.blanks()
		switch {
		case p.at < len(p.b) && p.b[p.at] == ',':
			p.at++
		case p.at < len(p.b) && p.b[p.at] == ']':
			p.at++
			return out, nil
		default:
			return nil, p.wrong("after array element")
		}
	}
}

// number keeps what was written, digit for digit.
func (p *parser) number() (any, error) {
	from := p.at
	if p.b[p.at] == '-' {
		p.at++
	}
	digits := func() bool {
		start := p.at
		for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
			p.at++
		}
		return p.at > start
	}
	if p.at < len(p.b) && p.b[p.at] == '0' {
		p.at++
	} else if !digits() {
		return nil, p.wrong("in numeric literal")
	}
	if p.at < len(p.b) && p.b[p.at] == '.' {
		if p.at++; !digits() {
			return nil, p.wrong("after decimal point in numeric literal")
		}
	}
	if p.at < len(p.b) && p.b[p.at]|0x20 == 'e' {
		if p.at++; p.at < len(p.b) && (p.b[p.at] == '+' || p.b[p.at] == '-') {
			p.at++
		}
		if !digits() {
			return nil, p.wrong("in exponent of numeric literal")
		}
	}
	if p.at-from > MaxDigits {
		return nil, beyond("digits in a number", MaxDigits)
	}
	return json.Number(p.b[from:p.at]), nil
}

// text reads a string.
func (p *parser) text() (string, error) {
	p.at++
	from := p.at
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case c == '"':
			s := p.b[from:p.at]
			p.at++
			if !utf8.Valid(s) {
				return "", errUTF8
			}
			return string(s), nil
		case c == '\\':
			return p.escaped(from)
		case c < ' ':
			return "", p.wrong("in string literal")
		}
		p.at++
	}
	return "", errEnd
}

var errUTF8 = errors.New("it is not valid UTF-8")

// escapes are what stands behind a backslash.
var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped reads a string from its first escape on.
func (p *parser) escaped(from int) (string, error) {
	out := append(make([]byte, 0, 2*(p.at-from)+16), p.b[from:p.at]...)
	for p.at < len(p.b) {
		c := p.b[p.at]
		switch {
		case c == '"':
			p.at++
			if !utf8.Valid(out) {
				return "", errUTF8
			}
			return string(out), nil
		case c < ' ':
			return "", p.wrong("in string literal")
		case c != '\\':
			out = append(out, c)
			p.at++
			continue
		}
		if p.at++; p.at >= len(p.b) {
			return "", errEnd
		}
		if plain, ok := escapes[p.b[p.at]]; ok {
			out = append(out, plain)
			p.at++
			continue
		}
		if p.b[p.at] != 'u' {
			return "", p.wrong("in string escape code")
		}
		r, ok := p.unicode(p.at + 1)
		if !ok {
			p.at = min(p.at+1, len(p.b))
			return "", p.wrong("in \\u hexadecimal character escape")
		}
		p.at += 5
		if utf16.IsSurrogate(r) {
			second, ok := p.unicode(p.at + 2)
			pair := utf16.DecodeRune(r, second)
			if ok && p.at+1 < len(p.b) && p.b[p.at] == '\\' && p.b[p.at+1] == 'u' && pair != utf8.RuneError {
				r = pair
				p.at += 6
			} else {
				r = utf8.RuneError // half a pair
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return "", errEnd
}

// unicode is the four hexadecimal digits at a place.
func (p *parser) unicode(at int) (rune, bool) {
	if at+4 > len(p.b) {
		return 0, false
	}
	var r rune
	for _, c := range p.b[at : at+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
