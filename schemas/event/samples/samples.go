// Package samples are events as senders send them: good ones, and bad ones with one fault each, whose name begins with the
// code that they must be refused with. Tests of the reader and of the whole system send them.
//
// They are for a workspace with country PL, currency EUR, a rate for USD, and phone:+48221110000 excluded.
package samples

import (
	"bytes"
	"embed"
	"io/fs"
	"path"
	"strings"

	"github.com/throughline-io/throughline/schemas/event"
)

// FS holds good/*.json and bad/*.json.
//
//go:embed good/*.json bad/*.json
var FS embed.FS

// Sample is one event as it is sent.
type Sample struct {
	Name string // of the file, without its end
	Body []byte
}

// Type is the type of a good sample, as its name says.
func (s Sample) Type() string { return before(s.Name, "-") }

// Code is what a bad sample must be refused with, as its name says.
func (s Sample) Code() event.Code { return event.Code(before(s.Name, "-")) }

func before(s, sep string) string {
	s, _, _ = strings.Cut(s, sep)
	return s
}

// Good are the samples that must be accepted.
func Good() ([]Sample, error) { return read("good") }

// Bad are the samples that must be refused; the one that is too large is made here, not kept in a file.
func Bad() ([]Sample, error) {
	out, err := read("bad")
	if err != nil {
		return nil, err
	}
	large := []byte(`{"id":"i-1","type":"identify","source":"site","time":"2025-11-01T10:00:00Z","identities":{"user_id":"u-1"},"note":"`)
	large = append(append(large, bytes.Repeat([]byte("x"), event.MaxEventBytes)...), `"}`...)
	return append(out, Sample{"too_large-note", large}), nil
}

func read(dir string) ([]Sample, error) {
	names, err := fs.Glob(FS, dir+"/*.json")
	if err != nil {
		return nil, err
	}
	var out []Sample
	for _, name := range names {
		body, err := FS.ReadFile(name)
		if err != nil {
			return nil, err
		}
		out = append(out, Sample{strings.TrimSuffix(path.Base(name), ".json"), body})
	}
	return out, nil
}
