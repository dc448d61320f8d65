package sources

import (
	"encoding/json"
	"fmt"

	"github.com/throughline-io/throughline/pipelines/sources/checks"
)

// Name is the sample's: that of its files.
func (p *Sample) Name() string { return p.name }

// Sent is the request that a sample is, and the entry that takes it. Of a file and a pull only the body says anything.
func (p *Sample) Sent(s *Source) (*checks.Request, *Entry, error) {
	r := p.request(s)
	e, ok := s.entryOf(p, r)
	if !ok {
		return nil, nil, fmt.Errorf("%s: no entry takes it", p.file)
	}
	if e.Kind == Webhook && p.Entry != "" { // the address names it
		r.Path += "/" + p.Entry
	}
	return r, e, nil
}

// Events are those that the sample must become.
func (p *Sample) Events() ([]json.RawMessage, error) {
	var list []json.RawMessage
	if p.events == nil {
		return nil, nil
	}
	if err := json.Unmarshal(p.events, &list); err != nil {
		return nil, fmt.Errorf("%s.events.json: %w", p.file, err)
	}
	return list, nil
}

// Examples are the settings and tables that samples are sent with.
func (s *Source) Examples() Given {
	given := Given{Settings: map[string]any{}, Tables: map[string]any{}}
	for name, d := range s.Settings {
		if d.Example != nil {
			given.Settings[name] = d.Example
		}
	}
	for name, d := range s.Tables {
		if d.Example != nil {
			given.Tables[name] = d.Example
		}
	}
	return given
}
