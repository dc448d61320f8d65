package sources

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// Programs are a request's, compiled; what a source does not have is nil.
type Programs struct{ When, Request, Failed, Next, More, Again *mapping.Program }

// compile compiles the programs; a fault of any is told with file and line.
func (s *Source) compile() {
	var shared *mapping.Text
	if s.Definitions != "" {
		text, err := readFile(s.folder, s.Definitions)
		if err != nil {
			s.doc.fault("definitions", "%v", err)
		} else {
			shared = &mapping.Text{File: s.programPath(s.Definitions), Line: 1, Text: string(text)}
		}
	}
	program := func(path, text string) *mapping.Program {
		if text == "" {
			return nil
		}
		t, err := s.text(path, text)
		if err != nil {
			s.doc.fault(path, "%v", err)
			return nil
		}
		p, err := mapping.Compile(t, shared)
		if err != nil {
			s.doc.faults = append(s.doc.faults, fmt.Errorf("%w (%s)", err, path))
		}
		return p
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		at := fmt.Sprintf("entries[%d].", i)
		if e.Program = program(at+"map", e.Map); e.Program != nil {
			e.NeedsRequest = e.Fetch != nil || e.Program.Uses("$request")
		}
		if e.Fetch != nil {
			compileRequests(e.Fetch.Requests, at+"fetch.", program)
		}
		if p := e.Pull; p != nil {
			compileRequests(p.Requests, at+"pull.", program)
			p.ForEachProgram = program(at+"pull.for_each", p.ForEach)
			if p.Cursor != nil {
				p.Cursor.FirstProgram = program(at+"pull.cursor.first", p.Cursor.First)
				p.Cursor.NextProgram = program(at+"pull.cursor.next", p.Cursor.Next)
			}
		}
	}
}

func compileRequests(list []Request, at string, program func(path, text string) *mapping.Program) {
	for i := range list {
		r := &list[i]
		path := fmt.Sprintf("%srequests[%d].", at, i)
		r.Programs = Programs{
			When: program(path+"when", r.When), Request: program(path+"request", r.Request), Failed: program(path+"failed", r.Failed),
		}
		if r.Pages != nil {
			r.Programs.Next = program(path+"pages.next", r.Pages.Next)
			r.Programs.More = program(path+"pages.more", r.Pages.More)
		}
		if r.Again != nil {
			r.Programs.Again = program(path+"again.when", r.Again.When)
		}
		reading := Reading{Format: "json"}
		if r.Read != nil {
			reading = *r.Read
		}
		r.Format = &items.Format{Format: reading.Format, Items: reading.Items}
		r.Format.Validate(func(string, string, ...any) {}) // told with the request
	}
}

// text is a program's: that of a file, or itself.
func (s *Source) text(path, text string) (mapping.Text, error) {
	if isProgramFile(text) {
		b, err := readFile(s.folder, text)
		return mapping.Text{File: s.programPath(text), Line: 1, Text: string(b)}, err
	}
	n := s.doc.node(path)
	line := max(1, n.Line)
	if n.Style == yaml.LiteralStyle || n.Style == yaml.FoldedStyle {
		line++ // the text begins behind the line with the bar
	}
	return mapping.Text{File: s.file, Line: line, Text: text}, nil
}
