package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/workspace"
)

// Sample is what stands in samples/<name>.yaml beside the bytes that are sent, samples/<name>.<anything else>, and the events that
// they must become, samples/<name>.events.json. Everything may be left out, and the file too where all of it is.
type Sample struct {
	// About says what the sample shows.
	About string `yaml:"about"`
	// Entry that it is for: the first one, if left out.
	Entry string `yaml:"entry"`
	// Body is the file with the bytes; that of the sample's name, if left out.
	Body string `yaml:"body"`
	// Method (POST), Query and Headers of the request; Content-Type by the body's file, if left out.
	Method  string            `yaml:"method"`
	Query   string            `yaml:"query"`
	Headers map[string]string `yaml:"headers"`
	// Received is when it came: 2026-11-01T10:00:00Z, if left out.
	Received time.Time `yaml:"received"`
	// Settings and Tables stand in place of the examples of the definition.
	Settings map[string]any `yaml:"settings"`
	Tables   map[string]any `yaml:"tables"`
	// Workspace has timezone (Europe/Warsaw), currency (EUR) and country (PL).
	Workspace SampleWorkspace `yaml:"workspace"`

	// Refused is the reason for which the checks must not let it in.
	Refused string `yaml:"refused"`
	// Answered is what must be answered: the status, and the body.
	Answered *Reply `yaml:"answered"`
	// Faults are the items that must not be mapped: index → a part of what is said.
	Faults map[int]string `yaml:"faults"`
	// Responses are, of a fetch and a pull, what each request was answered: name → a file.
	Responses map[string]items.Names `yaml:"responses"`
	// Asks are the requests that a fetch or a pull must make, in their order: "GET https://… body".
	Asks []string `yaml:"asks"`
	// Cursor, Window, Account and Page are those of a pull.
	Cursor  any            `yaml:"cursor"`
	Window  map[string]any `yaml:"window"`
	Account any            `yaml:"account"`
	Page    map[string]any `yaml:"page"`

	name, file string
	events     []byte // as the file has them; nil: there is none
	body       []byte
	doc        *document
}

// SampleWorkspace is the workspace that a sample is sent to.
type SampleWorkspace struct {
	Timezone string `yaml:"timezone"`
	Currency string `yaml:"currency"`
	Country  string `yaml:"country"`
}

// LedgerFile, beside the samples, says what all of them together must post: services/e2e plays them through the whole system.
const LedgerFile = "ledger.yaml"

// MaxSampleBytes is the largest file of a sample.
const MaxSampleBytes = 16 << 20

// Samples reads the samples of a source, by their names.
func (s *Source) Samples() ([]*Sample, error) {
	files, err := fs.Glob(s.folder, SamplesFolder+"/*")
	if err != nil {
		return nil, fmt.Errorf("samples: %w", err)
	}
	stems := map[string][]string{}
	for _, f := range files {
		name := path.Base(f)
		stem, _, _ := strings.Cut(name, ".")
		if stem != "" && name != LedgerFile {
			stems[stem] = append(stems[stem], name)
		}
	}
	var list []*Sample
	var all []error
	used := map[string]bool{}
	for _, stem := range slices.Sorted(maps.Keys(stems)) {
		sample, err := s.sample(stem, stems[stem], used)
		if err != nil {
			all = append(all, err)
		} else if sample != nil {
			list = append(list, sample)
		}
	}
	return list, errors.Join(all...)
}

// sample reads one; nil where the files are another sample's (an answer that a vendor gave).
func (s *Source) sample(stem string, files []string, used map[string]bool) (*Sample, error) {
	p := &Sample{name: stem, file: s.programPath(SamplesFolder + "/" + stem)}
	header, events := stem+".yaml", stem+".events.json"
	hasHeader, hasEvents := slices.Contains(files, header), slices.Contains(files, events)
	if !hasHeader && !hasEvents {
		return nil, nil
	}
	read := func(name string) ([]byte, error) {
		used[name] = true
		return readSample(s.folder, name)
	}
	if hasHeader {
		text, err := read(header)
		if err != nil {
			return nil, err
		}
		p.doc = decode(p.file+".yaml", text, p)
		if len(p.doc.faults) > 0 {
			return nil, errors.Join(p.doc.faults...)
		}
	}
	if hasEvents {
		var err error
		if p.events, err = read(events); err != nil {
			return nil, err
		}
	}
	if p.Body == "" {
		for _, f := range files {
			if f != header && f != events {
				p.Body = f
				break
			}
		}
	}
	if p.Body != "" {
		var err error
		if p.body, err = read(p.Body); err != nil {
			return nil, fmt.Errorf("%s: %w", p.file, err)
		}
	}
	if p.events == nil && p.Refused == "" && p.Answered == nil && len(p.Faults) == 0 && len(p.Asks) == 0 {
		return nil, fmt.Errorf("%s: it expects nothing: there is no %s, and none of refused, answered, faults and asks", p.file, events)
	}
	if p.Received.IsZero() {
		p.Received = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	}
	return p, nil
}

func readSample(folder fs.FS, name string) ([]byte, error) {
	b, err := fs.ReadFile(folder, path.Join(SamplesFolder, name))
	if err == nil && len(b) > MaxSampleBytes {
		err = fmt.Errorf("%s has %d bytes; %d are allowed", name, len(b), MaxSampleBytes)
	}
	return b, err
}

// sampleKey is the key of the instance that samples are sent to.
const sampleKey = "sample-key-of-an-address"

// instance is the source as the sample's workspace uses it.
func (p *Sample) instance(s *Source) (*Instance, error) {
	w := &workspace.Workspace{Name: "sample", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "sample"}
	if p.Workspace.Timezone != "" {
		w.Timezone = p.Workspace.Timezone
	}
	if p.Workspace.Currency != "" {
		w.Currency = p.Workspace.Currency
	}
	if p.Workspace.Country != "" {
		w.Country = p.Workspace.Country
	}
	given := s.Examples()
	maps.Copy(given.Settings, p.Settings)
	maps.Copy(given.Tables, p.Tables)
	var all []error
	i := s.instance(w, s.Name, sampleKey, given, func(at, format string, args ...any) {
		all = append(all, fmt.Errorf("%s: %s: %w", p.file, at, fmt.Errorf(format, args...)))
	})
	return i, errors.Join(append(all, w.Validate())...)
}

// Example is a source with the examples of its definition, for trying.
func (s *Source) Example() (*Instance, error) { return (&Sample{file: s.file}).instance(s) }
