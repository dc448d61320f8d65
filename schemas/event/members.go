package event

import (
	"bytes"
	"encoding/json"
)

// members splits a JSON object that is known to be valid, as json.Unmarshal into a map of raw messages does, without
// checking again what was checked once: reading a nested object costs its own length and not that of all within it.
func members(raw []byte) map[string]json.RawMessage {
	fields := make(map[string]json.RawMessage, 8)
	for i := nextToken(raw, 1); raw[i] != '}'; i = nextToken(raw, i) {
		if raw[i] == ',' {
			i = nextToken(raw, i+1)
		}
		end := stringEnd(raw, i)
		key, ok := plainText(raw[i:end])
		from := nextToken(raw, nextToken(raw, end)+1) // past the colon
		i = valueEnd(raw, from)
		if ok {
			fields[key] = raw[from:i:i]
		}
	}
	return fields
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
