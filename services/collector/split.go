package collector

import (
	"bytes"
	"encoding/json"
	"mime"
	"strings"
)

// ndjsonTypes are content types whose bodies are read line by line.
var ndjsonTypes = map[string]bool{
	"application/x-ndjson": true, "application/ndjson": true, "application/jsonl": true, "application/x-jsonlines": true,
}

// split finds the items of a body without reading them; they are parts of it.
//
// Lines of NDJSON stand on their own, so that one bad line spoils no other. Another body is one JSON value, and the items of an
// array are its elements; or it is a row of objects, as NDJSON with the wrong content type is. A body that is none of it is
// one item, which is then rejected like any other: with its reason, and kept.
func split(body []byte, contentType string) ([][]byte, error) {
	items, err := cut(bytes.TrimPrefix(body, []byte("\ufeff")), contentType)
	if err == nil && len(items) == 0 {
		err = errNothing
	}
	return items, err
}

func cut(body []byte, contentType string) ([][]byte, error) {
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil { // a fault in a parameter, at worst: the type itself is what counts
		mediaType, _, _ = strings.Cut(strings.ToLower(contentType), ";")
	}
	if ndjsonTypes[strings.TrimSpace(mediaType)] {
		return lines(body)
	}
	body = bytes.Trim(body, blanks)
	switch {
	case len(body) == 0:
		return nil, nil
	case body[0] == '[' && json.Valid(body):
		return elements(body)
	case body[0] == '{':
		return objects(body)
	}
	return [][]byte{body}, nil
}

const blanks = " \t\r\n"

func lines(body []byte) (items [][]byte, err error) {
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		if line = bytes.Trim(line, blanks); len(line) == 0 {
			continue
		}
		if len(items) == MaxItems {
			return nil, errTooMany
		}
		items = append(items, line)
	}
	return items, nil
}

// elements are those of a valid array.
func elements(array []byte) (items [][]byte, err error) {
	rest := bytes.TrimLeft(array[1:], blanks)
	for rest[0] != ']' {
		if len(items) == MaxItems {
			return nil, errTooMany
		}
		n := valueEnd(rest)
		items = append(items, bytes.TrimRight(rest[:n], blanks))
		if rest = bytes.TrimLeft(rest[n:], blanks); rest[0] == ',' {
			rest = bytes.TrimLeft(rest[1:], blanks)
		}
	}
	return items, nil
}

// objects are those of a row. If the brackets do not add up, lines still may.
func objects(body []byte) (items [][]byte, err error) {
	for rest := body; len(rest) > 0; {
		n := valueEnd(rest)
		if rest[0] != '{' || n < 0 {
			if first, _, more := bytes.Cut(body, []byte("\n")); more && json.Valid(first) {
				return lines(body)
			}
			return [][]byte{body}, nil
		}
		if len(items) == MaxItems {
			return nil, errTooMany
		}
		items = append(items, rest[:n])
		rest = bytes.TrimLeft(rest[n:], blanks)
	}
	return items, nil
}

// valueEnd is where the value at the start of b ends: behind its last bracket, or at the next comma or bracket that is not its own.
// It is -1 if brackets or a string stay open.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := stringEnd(b[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

// stringEnd is behind the closing quote of the string at the start of b, or -1.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
