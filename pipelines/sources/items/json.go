package items

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// json reads one JSON value, or several behind one another.
func (s *stream) json(in io.Reader) {
	if whole, ok := in.(*bytes.Reader); ok {
		m := &meter{s: s, in: whole}
		b, err := io.ReadAll(m)
		if err != nil {
			s.fail(err)
			return
		}
		s.jsonWhole(bytes.TrimPrefix(b, byteOrderMark))
		return
	}
	m := &meter{s: s, in: in}
	d := json.NewDecoder(transform.NewReader(m, unicode.BOMOverride(transform.Nop)))
	d.UseNumber()
	for first := true; ; first = false {
		m.next()
		err := s.descend(d, m, s.format.way, nil)
		switch {
		case errors.Is(err, io.EOF) && !first:
			return
		case errors.Is(err, io.EOF):
			s.fail(errEmpty)
			return
		case err != nil:
			s.fail(syntax(d, err))
			return
		case s.stopped:
			return
		}
	}
}

var (
	errEmpty      = errors.New("it is empty")
	errStopped    = errors.New("no more is wanted")
	byteOrderMark = []byte("\ufeff")
)

// jsonWhole is JSON in memory: the envelope is what stands before and behind the items.
func (s *stream) jsonWhole(b []byte) {
	if len(bytes.TrimSpace(b)) == 0 {
		s.fail(errEmpty)
		return
	}
	d := json.NewDecoder(bytes.NewReader(b))
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			s.fail(syntax(d, err))
			return
		}
		if err := s.walk(raw, s.format.way, nil); err != nil {
			if !errors.Is(err, errStopped) {
				s.fail(err)
			}
			return
		}
	}
}

// syntax places what the decoder says. It has a limit of depth of its own.
func syntax(d *json.Decoder, err error) error {
	if strings.Contains(err.Error(), "exceeded max depth") {
		err = beyond("levels of nesting", MaxDepth)
	}
	return fmt.Errorf("behind byte %d: %w", d.InputOffset(), err)
}

func (s *stream) walk(raw json.RawMessage, way []step, envelope map[string]any) error {
	if len(way) == 0 {
		v, err := value(raw, s.in.Limits.ItemBytes)
		if err != nil {
			return s.goOn(s.bad(err))
		}
		return s.goOn(s.item(v, envelope))
	}
	if way[0].field == "" {
		if raw[0] == 'n' {
			return nil
		}
		if raw[0] != '[' { // one where a list may stand
			return s.walk(raw, way[1:], envelope)
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		if _, err := d.Token(); err != nil {
			return err
		}
		for d.More() {
			var element json.RawMessage
			if err := d.Decode(&element); err != nil {
				return err
			}
			if err := s.walk(element, way[1:], envelope); err != nil {
				return err
			}
		}
		return nil
	}
	var object map[string]json.RawMessage
	if raw[0] == 'n' {
		return nil
	}
	if err := json.Unmarshal(raw, &object); err != nil {
		return fmt.Errorf("there is no object where .%s is looked for", way[0].field)
	}
	next, ok := object[way[0].field]
	if !ok {
		return fmt.Errorf("there is no .%s", way[0].field)
	}
	around := maps.Clone(envelope)
	if around == nil {
		around = map[string]any{}
	}
	for name, sibling := range object {
		if name == way[0].field {
			continue
		}
		v, err := value(sibling, s.in.Limits.ItemBytes)
		if err != nil {
			return fmt.Errorf(".%s: %w", name, err)
		}
		around[name] = v
	}
	if len(next) > 0 && next[0] == 'n' {
		return nil
	}
	return s.walk(next, way[1:], around)
}

func (s *stream) goOn(more bool) error {
	if more {
		return nil
	}
	return errStopped
}

// Value reads one JSON value of at most so many bytes, and holds it to the limits of depth, number and length.
func Value(raw []byte, most int) (any, error) { return value(raw, most) }

// value reads one JSON value and holds it to the limits.
func value(raw []byte, most int) (any, error) {
	if len(raw) > most {
		return nil, beyond("bytes in one item", int64(most))
	}
	if err := measure(raw); err != nil {
		return nil, err
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("it is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the value")
	}
	return v, nil
}

// measure holds a value to the limits of depth and number before memory is spent on it.
func measure(raw []byte) error {
	depth, values := 0, 1
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '"':
			for i++; i < len(raw) && raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			values++
			if depth++; depth > MaxDepth {
				return beyond("levels of nesting", MaxDepth)
			}
		case '}', ']':
			depth--
		case ',':
			values++
		default:
			if c < '0' || c > '9' {
				continue
			}
			from := i
			for i+1 < len(raw) && raw[i+1] >= '0' && raw[i+1] <= '9' {
				i++
			}
			if i-from >= MaxDigits {
				return beyond("digits in a number", MaxDigits)
			}
		}
	}
	if values > MaxValues {
		return beyond("values in one item", MaxValues)
	}
	return nil
}
