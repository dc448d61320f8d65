package sources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources/checks"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/schemas/event"
)

// Outcome is what would become of one item.
type Outcome struct {
	Item items.Item
	// Events are canonical events as JSON; Err is why the item, or the event at Bad, is none.
	Events []json.RawMessage
	Bad    int
	Err    error
	// Asks are the requests that would be made first.
	Asks []string
}

// Trial is something that is tried: nothing is sent anywhere.
type Trial struct {
	Instance *Instance
	Entry    *Entry
	Input    items.Input
	// Variables are the instance's, with the request and the rest filled in.
	Variables *mapping.Variables
	// Responses are what a fetch's requests were answered; nil: they are not known.
	Responses map[string]any
	// Now stands for the server's clock.
	Now time.Time
}

// Run tells of every item what would become of it, until tell says false.
func (t *Trial) Run(ctx context.Context, tell func(Outcome) bool) {
	for item, err := range t.Entry.Read.Read(t.Input) {
		o := Outcome{Item: item, Err: err}
		if err == nil {
			t.one(ctx, &o)
		}
		if !tell(o) {
			return
		}
	}
}

func (t *Trial) one(ctx context.Context, o *Outcome) {
	v := *t.Variables
	v.Envelope = o.Item.Envelope
	if f := t.Entry.Fetch; f != nil {
		if o.Asks, o.Err = t.asks(ctx, f.Requests, o.Item.Value, &v); o.Err != nil {
			return
		}
		if t.Responses == nil {
			return // what it means is only known with the answers
		}
	}
	if t.Responses != nil {
		v.Responses = t.Responses
	}
	if o.Events, o.Err = t.Instance.Map(ctx, t.Entry, o.Item, &v); o.Err != nil {
		return
	}
	rules := t.Instance.Workspace.EventRules()
	for n, e := range o.Events {
		anyCurrency(rules, e)
		if _, _, bad := event.Parse(e, rules, t.Now, event.Options{}); bad != nil {
			o.Bad, o.Err = n, fmt.Errorf("event %d: %w", n, bad)
			return
		}
	}
}

// anyCurrency lets any currency in: which ones a workspace converts is no matter of a source.
func anyCurrency(rules *event.Rules, e []byte) {
	var of struct{ Deal, Spend struct{ Currency string } }
	if json.Unmarshal(e, &of) == nil {
		rules.Currencies[of.Deal.Currency], rules.Currencies[of.Spend.Currency] = true, true
	}
}

// asks are the requests as text. A later one may need what an earlier one was answered.
func (t *Trial) asks(ctx context.Context, list []Request, in any, v *mapping.Variables) ([]string, error) {
	var out []string
	with := *v
	known := map[string]any{}
	for i := range list {
		with.Responses = known
		c, err := list[i].Call(ctx, in, &with)
		if err != nil {
			return out, err
		}
		if c == nil {
			continue
		}
		out = append(out, c.String())
		if answer, ok := t.Responses[list[i].Name]; ok {
			known[list[i].Name] = answer
		}
	}
	return out, nil
}

func (c *Call) String() string {
	s := c.Method + " " + c.URL
	if len(c.Body) > 0 {
		s += " " + string(c.Body)
	}
	return s
}

// request is the sample as a request.
func (p *Sample) request(s *Source) *checks.Request {
	r := &checks.Request{
		Method: "POST", Path: "/v1/sources/" + s.Name + "/" + sampleKey, Query: p.Query, Header: map[string][]string{}, Body: p.body, Received: p.Received,
	}
	if p.Method != "" {
		r.Method = p.Method
	}
	r.URL = "https://in.sample.example" + r.Path
	if p.Query != "" {
		r.URL += "?" + p.Query
	}
	if t := contentTypes[path.Ext(p.Body)]; t != "" {
		r.Header.Set("Content-Type", t)
	}
	for name, value := range p.Headers {
		r.Header.Set(name, value)
	}
	return r
}

var contentTypes = map[string]string{
	".json": "application/json", ".form": "application/x-www-form-urlencoded", ".ndjson": "application/x-ndjson", ".xml": "application/xml",
	".csv": "text/csv", ".tsv": "text/tab-separated-values", ".txt": "text/plain",
}

// responses reads what the sample's requests were answered, as the puller does.
func (p *Sample) responses(s *Source, list []Request) (map[string]any, error) {
	if p.Responses == nil {
		return nil, nil
	}
	out := map[string]any{}
	for i := range list {
		files, ok := p.Responses[list[i].Name]
		if !ok {
			continue
		}
		var bodies []io.Reader
		for _, f := range files {
			b, err := readSample(s.folder, f)
			if err != nil {
				return nil, fmt.Errorf("%s: responses.%s: %w", p.file, list[i].Name, err)
			}
			bodies = append(bodies, bytes.NewReader(b))
		}
		v, err := list[i].Response(bodies...)
		if err != nil {
			return nil, fmt.Errorf("%s: responses.%s: %w", p.file, list[i].Name, err)
		}
		out[list[i].Name] = v
	}
	return out, nil
}

// Response is what $responses holds of a request: of one that has pages or names its items the list of all of them, else the value.
func (r *Request) Response(pages ...io.Reader) (any, error) {
	list := []any{}
	for _, body := range pages {
		for item, err := range r.Format.Read(items.Input{Body: body, File: r.Name, Limits: items.File}) {
			if err != nil {
				return nil, err
			}
			list = append(list, item.Value)
		}
	}
	if r.Pages != nil || strings.Contains(r.Format.Items, "[]") {
		return list, nil
	}
	if len(list) != 1 {
		return nil, errors.New("it is not one value")
	}
	return list[0], nil
}
