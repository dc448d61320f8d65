package items

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// eventsFormat is no format of a source: its items are json.RawMessage, byte for byte.
const eventsFormat = "events"

// Events reads canonical events as POST /v1/events takes them, of any length: NDJSON, where a bad line spoils no other; an array; or
// JSON values behind one another.
func Events() *Format { return &Format{Format: eventsFormat} }

// headOfEvents is how much is looked at to tell lines from values: two events of the largest size.
const headOfEvents = 2 << 20

func (s *stream) events(in io.Reader) {
	r := bufio.NewReaderSize(in, headOfEvents)
	head, err := r.Peek(headOfEvents)
	if err != nil && !errors.Is(err, io.EOF) {
		s.fail(fmt.Errorf("read: %w", err))
		return
	}
	head = bytes.TrimPrefix(head, byteOrderMark)
	if first := bytes.TrimLeft(head, " \t\r\n"); bytes.HasPrefix(first, []byte("[")) || !areLines(first) {
		s.eventValues(r, bytes.HasPrefix(first, []byte("[")))
		return
	}
	s.lines(r, func(line []byte) bool {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			return !s.stopped
		}
		return s.item(json.RawMessage(line), nil)
	})
}

// areLines tells NDJSON: one of the first two lines is a value, or there is but one.
func areLines(head []byte) bool {
	first, rest, more := bytes.Cut(head, []byte("\n"))
	second, _, _ := bytes.Cut(rest, []byte("\n"))
	return !more || json.Valid(first) || json.Valid(second)
}

// eventValues reads values behind one another, or those of an array.
func (s *stream) eventValues(r *bufio.Reader, array bool) {
	if mark, err := r.Peek(len(byteOrderMark)); err == nil && bytes.Equal(mark, byteOrderMark) {
		_, _ = r.Discard(len(mark)) // they were seen
	}
	m := &meter{s: s, in: r}
	d := json.NewDecoder(m)
	fault := func(err error) { s.fail(fmt.Errorf("byte %d: %w", d.InputOffset(), err)) }
	if array {
		if _, err := d.Token(); err != nil {
			fault(err)
			return
		}
	}
	for !array || d.More() {
		var raw json.RawMessage
		err := d.Decode(&raw)
		switch {
		case errors.Is(err, io.EOF) && !array:
			return
		case err != nil:
			fault(unexpected(err))
			return
		}
		m.next()
		if !s.item(raw, nil) {
			return
		}
	}
	if _, err := d.Token(); err != nil {
		fault(unexpected(err))
	}
}
