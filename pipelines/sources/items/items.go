// Package items cuts what a source sends, a request's body or a file of any size, into items: JSON values with the place they
// came from.
//
// It promises that memory does not grow with the input: one item is held at a time, and every format is bounded in bytes after
// decompression, in items, in depth and in values, by limits that have names. A bomb is a fault, not an outage. Numbers keep
// every digit that was written. What cannot be read is told with its place; where the next item still can be found, reading goes
// on behind it. Nothing here knows a vendor, a clock or a network.
package items

import (
	"errors"
	"fmt"
	"io"
	"iter"
)

// Item is one thing that was sent.
type Item struct {
	// Value is what jq takes: nil, bool, json.Number, string, []any or map[string]any.
	Value any
	// Envelope is what stands around the items: the fields of the objects on the way to them. Of a stream, those before.
	Envelope map[string]any
	Place    Place
}

// Place is where in the input an item stands.
type Place struct {
	// File is the name that the caller gave, with the names inside an archive behind it.
	File string `json:"file,omitempty"`
	// Sheet of a workbook.
	Sheet string `json:"sheet,omitempty"`
	// Line of a text, from 1; 0 where there are no lines.
	Line int `json:"line,omitempty"`
	// Index counts the items of the input, from 0.
	Index int `json:"index"`
}

func (p Place) String() string {
	s := p.File
	if p.Sheet != "" {
		s += "[" + p.Sheet + "]"
	}
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d", s, p.Line)
	}
	return fmt.Sprintf("%s item %d", s, p.Index)
}

// Fault is what cannot be read, and where.
type Fault struct {
	Place Place
	Err   error
	// Whole: nothing behind it can be read either.
	Whole bool
}

func (f *Fault) Error() string { return f.Place.String() + ": " + f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// ErrTooLarge is at the root of every fault by a limit.
var ErrTooLarge = errors.New("too large")

func beyond(what string, limit int64) error {
	return fmt.Errorf("%w: more than %d %s", ErrTooLarge, limit, what)
}

// Input is where items are read from.
type Input struct {
	// Body is read to its end or to a limit. One that is in memory is a *bytes.Reader: then the envelope is whole.
	Body io.Reader
	// File names it in places.
	File string
	// ContentType is what a request says of its body; a multipart's boundary stands there.
	ContentType string
	// Query is a request's query as it came.
	Query string
	// Limits bound the reading.
	Limits Limits
}

// Read yields the items in their order. An error is always a *Fault.
func (f *Format) Read(in Input) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		s := &stream{format: f, in: in, yield: yield, place: Place{File: in.File}}
		s.unpack(in.Body, in.File, 0)
	}
}

// stream is one input being read.
type stream struct {
	format *Format
	in     Input
	yield  func(Item, error) bool
	place  Place // of the next item
	// spent counts bytes after decompression, of all files of an archive together.
	spent   int64
	stopped bool
}

// item hands an item over; false means that no more is wanted or allowed.
func (s *stream) item(value any, envelope map[string]any) bool {
	if s.stopped {
		return false
	}
	if s.place.Index >= s.in.Limits.Items {
		return s.fail(beyond("items", int64(s.in.Limits.Items)))
	}
	if envelope == nil {
		envelope = map[string]any{}
	}
	s.stopped = !s.yield(Item{value, envelope, s.place}, nil)
	s.place.Index++
	return !s.stopped
}

// bad tells of one item that cannot be read.
func (s *stream) bad(err error) bool {
	if s.stopped {
		return false
	}
	s.stopped = !s.yield(Item{Place: s.place}, &Fault{Place: s.place, Err: err})
	s.place.Index++
	return !s.stopped
}

// fail ends the reading; it is always false.
func (s *stream) fail(err error) bool {
	if !s.stopped {
		s.stopped = true
		s.yield(Item{Place: s.place}, &Fault{Place: s.place, Err: err, Whole: true})
	}
	return false
}
