package items

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// headBytes is how much of a table is looked at to tell its delimiter.
const headBytes = 64 << 10

// csv reads rows. A tsv has no quotes: a cell ends at a tab, a row at a line's end.
func (s *stream) csv(in io.Reader) {
	t := s.table()
	if s.format.Format == "tsv" {
		s.lines(in, func(line []byte) bool { return t.row(strings.Split(string(line), "\t")) })
		t.end()
		return
	}
	m := &meter{s: s, in: in}
	text := bufio.NewReaderSize(s.decoded(m), headBytes)
	r := csvReader(text)
	switch d := s.format.Table.Delimiter; d {
	case "":
	case "auto":
		head, _ := text.Peek(headBytes) // a fault comes again with the first row
		r.Comma = s.delimiter(head)
	default:
		r.Comma = rune(d[0])
	}
	for {
		cells, err := r.Read()
		var wrong *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			t.end()
			return
		case errors.As(err, &wrong):
			s.place.Line = wrong.StartLine
			if !s.bad(wrong.Err) {
				return
			}
			continue
		case err != nil:
			s.fail(err)
			return
		}
		s.place.Line, _ = r.FieldPos(0)
		m.next()
		if size(cells) > s.in.Limits.ItemBytes {
			s.fail(beyond("bytes in one item", int64(s.in.Limits.ItemBytes)))
			return
		}
		if !t.row(cells) {
			return
		}
	}
}

func csvReader(in io.Reader) *csv.Reader {
	r := csv.NewReader(in)
	r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = -1, true, true
	return r
}

// delimiter is the one by which the beginning of a table has a header; a comma where none has.
func (s *stream) delimiter(head []byte) rune {
	for _, d := range []rune{',', ';', '\t', '|'} {
		r := csvReader(bytes.NewReader(head))
		r.Comma = d
		for range MaxTitleLines {
			cells, err := r.Read()
			if err != nil {
				break
			}
			if slices.ContainsFunc(s.format.Table.Headers, func(h Header) bool { _, ok := h.match(cells); return ok }) {
				return d
			}
		}
	}
	return ','
}

func size(cells []string) int {
	n := 0
	for _, c := range cells {
		n += len(c)
	}
	return n
}

var errSheet = errors.New("no such sheet")

func noSheet(name string, have []string) error {
	return fmt.Errorf("%w: %q; it has %s", errSheet, name, strings.Join(have, ", "))
}
