package items

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

func encodingNamed(name string) (encoding.Encoding, error) {
	switch name {
	case "", "utf-8", "utf8":
		return encoding.Nop, nil
	case "utf-16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	}
	return htmlindex.Get(name)
}

// decoded is the text in UTF-8, without a byte order mark. A mark of UTF-16 or UTF-8 wins over what the format says.
func (s *stream) decoded(in io.Reader) io.Reader {
	e, err := encodingNamed(s.format.Encoding)
	if err != nil {
		e = encoding.Nop // Validate has told
	}
	return transform.NewReader(in, unicode.BOMOverride(e.NewDecoder()))
}

// lines yields the lines of a text without their ends, and counts them in the place.
func (s *stream) lines(in io.Reader, visit func(line []byte) bool) {
	r := bufio.NewReaderSize(s.decoded(&meter{s: s, in: in, free: true}), 64<<10)
	s.place.Line = 0
	for {
		line, err := s.line(r)
		s.place.Line++
		if len(line) > 0 && !visit(line) {
			return
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// line is the next one. One that is too long is read over and told.
func (s *stream) line(r *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > s.in.Limits.ItemBytes {
			long, line = true, nil
		}
		if !long {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if long && (err == nil || errors.Is(err, io.EOF)) {
			s.place.Line++
			s.bad(beyond("bytes in one item", int64(s.in.Limits.ItemBytes)))
			s.place.Line--
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
}

// ndjson reads a value a line; a line that is none spoils no other.
func (s *stream) ndjson(in io.Reader) {
	s.lines(in, func(line []byte) bool {
		if len(bytes.TrimSpace(line)) == 0 {
			return !s.stopped
		}
		v, err := value(line, s.in.Limits.ItemBytes)
		if err != nil {
			return s.bad(err)
		}
		return s.item(v, nil)
	})
}

// text is one item, a string.
func (s *stream) text(in io.Reader) {
	b, err := s.all(s.decoded(in))
	if err != nil {
		s.fail(err)
		return
	}
	s.item(string(bytes.ToValidUTF8(b, []byte("\ufffd"))), nil)
}

// all is an input that is one item.
func (s *stream) all(in io.Reader) ([]byte, error) {
	b, err := io.ReadAll(&meter{s: s, in: in})
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	if len(b) > s.in.Limits.ItemBytes {
		return nil, beyond("bytes in one item", int64(s.in.Limits.ItemBytes))
	}
	return b, nil
}
