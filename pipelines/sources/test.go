package sources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/throughline-io/throughline/pipelines/sources/checks"
	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// TestResult is what the samples of one source showed.
type TestResult struct {
	Source  string
	Samples int
	Events  int
	// Failures name the file, the item and the difference.
	Failures []error
}

// ErrNoSamples says that a source shows nothing.
var ErrNoSamples = errors.New("there are no samples")

// Test sends the samples of a source to itself and compares what comes out. Nothing leaves the process.
func (s *Source) Test(ctx context.Context) TestResult {
	result := TestResult{Source: s.Name}
	list, err := s.Samples()
	if err != nil {
		result.Failures = append(result.Failures, err)
	}
	if len(list) == 0 && err == nil {
		result.Failures = append(result.Failures, fmt.Errorf("%s: %w", s.programPath(SamplesFolder), ErrNoSamples))
	}
	covered := map[string]bool{}
	for _, p := range list {
		result.Samples++
		n, entry, err := p.test(ctx, s)
		result.Events += n
		covered[entry] = true
		if err != nil {
			result.Failures = append(result.Failures, err)
		}
	}
	for i := range s.Entries {
		if name := s.Entries[i].Name; !covered[name] && len(list) > 0 {
			result.Failures = append(result.Failures, fmt.Errorf("%s: no sample is for the entry %s", s.programPath(SamplesFolder), name))
		}
	}
	return result
}

// test is one sample: how many events it became, and of which entry it is.
func (p *Sample) test(ctx context.Context, s *Source) (events int, entry string, err error) {
	i, err := p.instance(s)
	if err != nil {
		return 0, "", err
	}
	r := p.request(s)
	e, ok := s.entryOf(p, r)
	if !ok {
		return 0, "", fmt.Errorf("%s: no entry takes it", p.file)
	}
	in := items.Input{Body: bytes.NewReader(p.body), File: p.Body, Limits: items.File, ContentType: r.Header.Get("Content-Type"), Query: p.Query}
	v := i.Variables(e, p.Received)
	t := &Trial{Instance: i, Entry: e, Input: in, Variables: v, Now: p.Received}
	var list []Request
	switch e.Kind {
	case Webhook:
		v.Request = i.Request(e, r)
		reply, reason, greeting := i.Greeting(e, r)
		if !greeting {
			reason = i.Guard(e).Verify(r)
			reply = e.Answer.OK
		}
		if string(reason) != p.Refused {
			hint := ""
			if expected := i.Guard(e).Expected(r); expected != "" && strings.Contains(string(reason), "signature") {
				hint = "; with the example's key the signature of these bytes is " + expected
			}
			return 0, e.Name, fmt.Errorf("%s: the checks say %q, want %q%s", p.file, reason, p.Refused, hint)
		}
		if reason != "" || greeting {
			if reason != "" {
				reply = Reply{Status: e.Answer.Forged}
			}
			return 0, e.Name, p.compareReply(reply)
		}
		if e.Fetch != nil {
			list = e.Fetch.Requests
		}
	case Pulled:
		list = e.Pull.Requests
		if err := p.pullVariables(t); err != nil {
			return 0, e.Name, err
		}
	}
	if t.Responses, err = p.responses(s, list); err != nil {
		return 0, e.Name, err
	}
	if err := p.compareAsks(ctx, t); err != nil {
		return 0, e.Name, err
	}
	n, err := p.compare(ctx, t)
	return n, e.Name, err
}

func (s *Source) entryOf(p *Sample, r *checks.Request) (*Entry, bool) {
	if p.Entry != "" {
		return s.Entry(p.Entry)
	}
	if e, ok := s.Webhook(r, ""); ok {
		return e, true
	}
	return &s.Entries[0], s.Entries[0].Kind != Webhook
}

func (p *Sample) pullVariables(t *Trial) error {
	for name, of := range map[string]struct {
		from any
		to   *any
	}{
		"cursor": {p.Cursor, &t.Variables.Cursor}, "window": {p.Window, &t.Variables.Window}, "account": {p.Account, &t.Variables.Account},
		"page": {p.Page, &t.Variables.Page},
	} {
		v, err := plainOf(of.from)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", p.file, name, err)
		}
		*of.to = v
	}
	return nil
}

func (p *Sample) compareReply(got Reply) error {
	if p.Answered == nil {
		return nil
	}
	if want := p.Answered.Status; want != 0 && want != got.Status {
		return fmt.Errorf("%s: answered %d %s, want %d", p.file, got.Status, http.StatusText(got.Status), want)
	}
	if want := p.Answered.Body; want != "" && want != got.Body {
		return fmt.Errorf("%s: answered %q, want %q", p.file, got.Body, want)
	}
	return nil
}

// compareAsks compares the requests of a pull; those of a fetch are compared with its item.
func (p *Sample) compareAsks(ctx context.Context, t *Trial) error {
	if t.Entry.Kind != Pulled || p.Asks == nil {
		return nil
	}
	got, err := t.asks(ctx, t.Entry.Pull.Requests, nil, t.Variables)
	if err != nil {
		return fmt.Errorf("%s: asks: %w", p.file, err)
	}
	return p.sameAsks(got)
}

func (p *Sample) sameAsks(got []string) error {
	if !slices.Equal(got, p.Asks) {
		return fmt.Errorf("%s: asks:\n  got  %s\n  want %s", p.file, strings.Join(got, "\n       "), strings.Join(p.Asks, "\n       "))
	}
	return nil
}

func (p *Sample) compare(ctx context.Context, t *Trial) (int, error) {
	var want []any
	if p.events != nil {
		v, err := plainJSON(p.events)
		list, ok := v.([]any)
		if err != nil || !ok {
			return 0, fmt.Errorf("%s.events.json: it is no list of events: %w", p.file, err)
		}
		want = list
	}
	var all []error
	n := 0
	faults := map[int]bool{}
	t.Run(ctx, func(o Outcome) bool {
		at := o.Item.Place.Index
		if said, ok := p.Faults[at]; ok && o.Err != nil && strings.Contains(o.Err.Error(), said) {
			faults[at] = true
			return true
		}
		if o.Err != nil {
			all = append(all, fmt.Errorf("%s: item %d (%s): %w", p.file, at, o.Item.Place, o.Err))
			return len(all) < maxFailures
		}
		if t.Entry.Fetch != nil && p.Asks != nil {
			if err := p.sameAsks(o.Asks); err != nil {
				all = append(all, err)
			}
		}
		for _, e := range o.Events {
			if n >= len(want) {
				all = append(all, fmt.Errorf("%s: item %d (%s): one event more than %d: %s", p.file, at, o.Item.Place, len(want), e))
			} else if err := differs(want[n], e); err != nil {
				all = append(all, fmt.Errorf("%s: item %d (%s): event %d: %w", p.file, at, o.Item.Place, n, err))
			}
			n++
		}
		return len(all) < maxFailures
	})
	for at, said := range p.Faults {
		if !faults[at] {
			all = append(all, fmt.Errorf("%s: item %d was to fail with %q", p.file, at, said))
		}
	}
	if n < len(want) && len(all) == 0 {
		b, _ := json.Marshal(want[n]) // read from JSON above
		all = append(all, fmt.Errorf("%s: %d events came of it, want %d; the first that is missing: %s", p.file, n, len(want), b))
	}
	return n, errors.Join(all...)
}

// maxFailures is how many differences of one sample are told.
const maxFailures = 5
