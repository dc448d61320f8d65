package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/checks"
)

// play is one vendor's samples, sent to a workspace of their own.
type play struct {
	t        *testing.T
	s        *system
	v        *shipped
	name     string // the workspace's
	way      string // one of vendorWays
	instance *sources.Instance
	can      commands
	vendor   *stubVendor
	// refused counts, by reason, what must have been refused, and bad the items that cannot be mapped.
	refused map[string]int
	bad     int
}

// commands are those that the program under test has.
type commands struct{ imports, pulls bool }

// run sends steps with a forged request behind each, until every forged one was sent.
func (p *play) run(steps []func()) {
	forged := p.forged()
	for i := range max(len(steps), len(forged)) {
		if i < len(steps) {
			steps[i]()
		}
		if len(forged) > 0 {
			forged[i%len(forged)]()
		}
	}
}

// ordered is everything twice, in the way's order.
func (p *play) ordered() []func() {
	steps := p.steps()
	if p.way == "backward" {
		slices.Reverse(steps)
	}
	steps = append(steps, steps...)
	if p.way == "mixed" {
		rand.New(rand.NewPCG(1, uint64(len(steps)))).Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	}
	return steps
}

// steps are the samples and the events of others, in their natural order.
func (p *play) steps() (steps []func()) {
	for _, line := range p.v.extra(p.t) {
		steps = append(steps, func() { p.s.send("sk_"+p.name, []string{line}, 1) })
	}
	for _, name := range p.v.ledger.Send {
		sample := p.v.samples[name]
		if sample == nil {
			p.t.Fatalf("ledger.yaml sends %q, which is no sample", name)
		}
		_, e, err := sample.Sent(p.v.Source)
		switch {
		case err != nil:
			p.t.Fatal(err)
		case e.Kind == sources.Webhook && (e.Fetch == nil || p.can.pulls):
			steps = append(steps, func() { p.hook(sample) })
			if e.Fetch != nil {
				steps[len(steps)-1] = func() { p.vendor.during(p.t, p.name, name, func() { p.hook(sample) }) }
			}
		case e.Kind == sources.Webhook:
			steps = append(steps, func() { p.hook(sample); p.asked(sample) })
		case e.Kind == sources.File && p.can.imports:
			steps = append(steps, func() { p.file(sample, e) })
		case e.Kind == sources.Pulled && p.can.pulls: // nobody sends it
		default:
			steps = append(steps, func() { p.asked(sample) })
		}
	}
	return steps
}

// hook sends a sample as the vendor does.
func (p *play) hook(sample *sources.Sample) {
	p.t.Helper()
	r, e := p.signed(sample, 0)
	p.bad += len(sample.Faults)
	want := e.Answer.OK.Status
	if len(sample.Faults) > 0 && e.Answer.Bad != nil {
		want = e.Answer.Bad.Status
	}
	if status, body := p.request(r); status != want {
		p.t.Errorf("%s: HTTP %d, want %d: %s", sample.Name(), status, want, body)
	}
}

// asked sends the events that a sample must become, where the program under test has no other way for them.
func (p *play) asked(sample *sources.Sample) {
	p.t.Helper()
	events, err := sample.Events()
	if err != nil {
		p.t.Fatal(err)
	}
	var lines []string
	for _, e := range events {
		var line bytes.Buffer
		if err := json.Compact(&line, e); err != nil {
			p.t.Fatal(err)
		}
		lines = append(lines, line.String())
	}
	p.s.send("sk_"+p.name, lines, 100)
}

// file imports a sample.
func (p *play) file(sample *sources.Sample, e *sources.Entry) {
	p.t.Helper()
	out, code := p.s.command("import", p.v.Name, "../../pipelines/sources/"+p.v.Name+"/samples/"+sample.Body, "--workspace", p.name, "--entry", e.Name)
	if want := min(1, len(sample.Faults)); code != want {
		p.t.Errorf("import of %s ended with %d, want %d: %s", sample.Name(), code, want, out)
	}
}

// request sends a request until it is answered; what is said to be sent again is.
func (p *play) request(r *checks.Request) (int, string) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) { // a vendor's pause before it repeats
		req, err := http.NewRequestWithContext(p.t.Context(), r.Method, r.URL, bytes.NewReader(r.Body))
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header = r.Header
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			p.t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			p.t.Fatal(err)
		}
		if again := res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests; !again || time.Now().After(end) {
			return res.StatusCode, string(body)
		}
	}
}

// addressed is a sample's request, to the address of its workspace.
func (p *play) addressed(sample *sources.Sample, key string) (*checks.Request, *sources.Entry) {
	p.t.Helper()
	r, e, err := sample.Sent(p.v.Source)
	if err != nil {
		p.t.Fatal(err)
	}
	prefix := "/v1/sources/" + p.v.Name + "/"
	_, entry, named := strings.Cut(strings.TrimPrefix(r.Path, prefix), "/")
	r.Path = prefix + key
	if named {
		r.Path += "/" + entry
	}
	r.URL = "http://" + p.s.addr.HTTP + r.Path
	if r.Query != "" {
		r.URL += "?" + r.Query
	}
	return r, e
}

// signed is a sample's request as the vendor would send it so long ago: where the vendor signs the time or the address, those are other
// ones than when the sample was written. Everything else is sent as it stands.
func (p *play) signed(sample *sources.Sample, ago time.Duration) (*checks.Request, *sources.Entry) {
	p.t.Helper()
	r, e := p.addressed(sample, vendorKey(p.name))
	if !p.dated(r, e, ago) && !signsAddress(e) {
		return r, e
	}
	for i := range e.Checks {
		for _, s := range []*checks.Signature{e.Checks[i].HMAC, e.Checks[i].Digest} {
			if s == nil {
				continue
			}
			header, ok := strings.CutPrefix(s.In, "header:")
			if !ok {
				p.t.Fatalf("%s: a signature in %s cannot be made anew here", sample.Name(), s.In)
			}
			r.Header.Set(header, p.instance.Guard(e).Expected(r))
		}
	}
	return r, e
}

// dated sets the time of sending, if the entry looks at it.
func (p *play) dated(r *checks.Request, e *sources.Entry, ago time.Duration) bool {
	p.t.Helper()
	w := windowOf(e)
	if w == nil {
		return false
	}
	at := time.Now().Add(-ago)
	text := at.UTC().Format(time.RFC3339Nano)
	switch w.Unit {
	case "seconds":
		text = strconv.FormatInt(at.Unix(), 10)
	case "milliseconds":
		text = strconv.FormatInt(at.UnixMilli(), 10)
	}
	header, ok := strings.CutPrefix(w.In, "header:")
	if !ok {
		p.t.Fatalf("%s: a time in %s cannot be set here", e.Name, w.In)
	}
	r.Header.Set(header, w.Prefix+text)
	return true
}

func windowOf(e *sources.Entry) *checks.Window {
	for i := range e.Checks {
		if w := e.Checks[i].Window; w != nil {
			return w
		}
	}
	return nil
}

func signsAddress(e *sources.Entry) bool {
	for i := range e.Checks {
		if s := e.Checks[i].HMAC; s != nil && (slices.Contains(s.Of, "url") || slices.Contains(s.Of, "path")) {
			return true
		}
	}
	return false
}
