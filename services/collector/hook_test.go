package collector

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
)

// Sources that are there for these tests alone.
var hookSources = map[string]string{
	"acme/source.yaml": `
name: acme
title: Acme
settings: {token: {about: t, required: true, secret: true, example: x}}
entries:
  - name: leads
    kind: webhook
    makes: [form]
    match: {method: POST}
    checks: [{secret: {in: "header:X-Token", is: token}}]
    read: {format: json, items: ".leads[]"}
    map: |
      if .slow then [range(1e9)] | length
      elif .silent then empty
      elif .wrong then error("no \(.phone)")
      else {id: (.id | text), type: "form", time: .time, identities: {phone: .phone}, form: {form_id: ($envelope.form // "f")}} end
    answer:
      ok: {status: 202, type: application/json, headers: {X-Taken: "yes"}, body: '{"ok":true}'}
      bad: {status: 422}
      forged: 403
      handshakes:
        - match: {values: {"json:challenge": "*"}}
          token: {in: "json:token", is: token}
          echo: "json:challenge"
  - name: pixel
    kind: webhook
    makes: [form]
    unchecked: a picture cannot sign
    read: {format: query}
    map: '{id: .id, type: "form", time: $received, identities: {phone: .phone}, form: {form_id: "q"}}'
`,
	"crm/source.yaml": `
name: crm
title: CRM
settings: {url: {about: u, default: "https://crm.example"}}
entries:
  - name: deals
    kind: webhook
    makes: [deal]
    checks: [{path: true}]
    read: {format: form}
    map: '{id: .id, type: "deal", time: $received, identities: {}, deal: {id: .id}}'
    fetch:
      hosts: ["setting:url"]
      requests: [{name: deal, request: '{url: "\($settings.url)/deal", query: {id: .id}}'}]
`,
}

const (
	acmeKey = "acme-key-in-the-address"
	crmKey  = "crm-key-in-the-address"
)

// hooked is a door with sources.
func hooked(t *testing.T, change ...func(*Config)) *door {
	t.Helper()
	d := open(t, change...)
	d.UseSources(hookSet(t))
	return d
}

func hookSet(t testing.TB) *sources.Set {
	t.Helper()
	dir := t.TempDir()
	for name, text := range hookSources {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := workspaces(t)
	list[0].Sources = []workspace.Source{
		{Name: "landing", Source: "acme", Key: acmeKey, Settings: map[string]any{"token": "s3cret"}},
		{Name: "crm", Key: crmKey},
		{Name: "callrail", Key: "callrail-key-in-the-address", Settings: map[string]any{"signing_key": "k"}},
	}
	if err := workspace.Validate(list); err != nil {
		t.Fatal(err)
	}
	set, err := sources.OpenAndBind(dir, list)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

type hookReply struct {
	status int
	header http.Header
	text   string
}

func (d *door) hook(method, path, body string, headers ...string) hookReply {
	d.Helper()
	req, err := http.NewRequestWithContext(d.Context(), method, d.server.URL+"/v1/sources/"+path, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.Fatal(err)
	}
	return hookReply{res.StatusCode, res.Header, string(text)}
}

// lead posts to acme with its token.
func (d *door) lead(body string) hookReply {
	d.Helper()
	return d.hook(http.MethodPost, "acme/"+acmeKey, body, "X-Token", "s3cret")
}

func lead(id string) string {
	return `{"id":` + id + `,"time":"2026-11-01T10:00:00Z","phone":"+48501000001"}`
}

func (d *door) letters() []*deadletter.Letter {
	d.Helper()
	var out []*deadletter.Letter
	for _, r := range d.records(pipelines.TopicDead) {
		l, err := deadletter.Decode(r.Value)
		if err != nil {
			d.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

func TestHookTaken(t *testing.T) {
	d := hooked(t)
	r := d.lead(`{"form":"spring","leads":[` + lead("9007199254740993") + `,{"silent":1}]}`)
	if r.status != 202 || r.text != `{"ok":true}` || r.header.Get("X-Taken") != "yes" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%+v", r)
	}
	records := d.records(pipelines.TopicEvents)
	if len(records) != 1 {
		t.Fatalf("%d events", len(records))
	}
	e, err := event.Decode(records[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != "9007199254740993" || e.Source != "landing" || e.Workspace != "shop" || e.Form.FormID != "spring" {
		t.Errorf("%+v", e)
	}
	if bytes.Contains(records[0].Value, []byte("501000001")) {
		t.Error("the phone can be read")
	}
	if r := d.lead(`{"leads":[` + lead("9007199254740993") + `]}`); r.status != 202 {
		t.Errorf("again: %+v", r)
	}
	if got := testutil.ToFloat64(d.metrics.hookItems.WithLabelValues("shop", "landing", "mapped")); got != 2 {
		t.Errorf("%v items are counted", got)
	}
}

// TestHookForged: nothing of it is kept anywhere, and each is counted by its reason.
func TestHookForged(t *testing.T) {
	d := hooked(t)
	body := `{"leads":[` + lead("1") + `]}`
	sign := func(key, body string) string {
		h := hmac.New(sha1.New, []byte(key))
		h.Write([]byte(body))
		return base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	const callrail = "callrail/callrail-key-in-the-address"
	for _, row := range []struct {
		name, path, body string
		headers          []string
		status           int
		source, reason   string
	}{
		{"no secret", "acme/" + acmeKey, body, nil, 403, "landing", "no_secret"},
		{"another secret", "acme/" + acmeKey, body, []string{"X-Token", "guess"}, 403, "landing", "wrong_secret"},
		{"another key", "acme/other-key-in-the-address", body, []string{"X-Token", "s3cret"}, 401, "", "unknown_key"},
		{"a key of another source", "crm/" + acmeKey, body, []string{"X-Token", "s3cret"}, 401, "", "unknown_key"},
		{"no such source", "nobody/" + acmeKey, body, nil, 401, "", "unknown_key"},
		{"other bytes", callrail, `{"id":2}`, []string{"Signature", sign("k", `{"id":1}`)}, 401, "callrail", "wrong_signature"},
		{"another signing key", callrail, `{"id":1}`, []string{"Signature", sign("x", `{"id":1}`)}, 401, "callrail", "wrong_signature"},
		{"no signature", callrail, `{"id":1}`, nil, 401, "callrail", "no_signature"},
		{"a handshake with another token", "acme/" + acmeKey, `{"challenge":"c","token":"guess"}`, nil, 403, "landing", "wrong_secret"},
	} {
		t.Run(row.name, func(t *testing.T) {
			workspace := "shop"
			if row.source == "" {
				workspace = ""
			}
			counter := d.metrics.forged.WithLabelValues(workspace, row.source, row.reason)
			before := testutil.ToFloat64(counter)
			if r := d.hook(http.MethodPost, row.path, row.body, row.headers...); r.status != row.status || strings.Contains(r.text, row.reason) {
				t.Errorf("%+v", r)
			}
			if got := testutil.ToFloat64(counter) - before; got != 1 {
				t.Errorf("it is counted %v times", got)
			}
		})
	}
	for _, topic := range []string{pipelines.TopicEvents, pipelines.TopicDead, pipelines.TopicFetches} {
		if n := len(d.records(topic)); n != 0 {
			t.Errorf("%s has %d records", topic, n)
		}
	}
}

func TestHookHandshake(t *testing.T) {
	d := hooked(t)
	r := d.hook(http.MethodPost, "acme/"+acmeKey, `{"challenge":"<b>hi","token":"s3cret"}`)
	if r.status != 200 || r.text != "<b>hi" || !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain") {
		t.Errorf("%+v", r)
	}
	if r := d.hook(http.MethodGet, "acme/"+acmeKey+"/pixel?id=7&phone=%2B48501000001", ""); r.status != 200 {
		t.Errorf("%+v", r)
	}
	if r := d.hook(http.MethodGet, "crm/"+crmKey, ""); r.status != http.StatusMethodNotAllowed {
		t.Errorf("%+v", r)
	}
	if r := d.hook(http.MethodPost, "acme/"+acmeKey+"/none", ""); r.status != http.StatusNotFound {
		t.Errorf("%+v", r)
	}
	if n := len(d.records(pipelines.TopicEvents)); n != 1 {
		t.Errorf("%d events", n)
	}
	if r := d.hook(http.MethodGet, "../source.schema.json", ""); r.status != 200 || r.text != string(sources.Schema()) {
		t.Errorf("the schema: %d", r.status)
	}
}

// TestHookDead: what cannot be read, mapped or accepted is kept with its reason and with all that is needed to send it again; the rest of
// the request is not harmed.
func TestHookDead(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
		events     int
		code, said string
		whole      bool
	}{
		{"a program that fails", `{"leads":[` + lead("1") + `,{"id":2,"wrong":true,"phone":"+48501000001"},` + lead("3") + `]}`, 202, 2, "unmapped", "error: no", false},
		{"an event that is none", `{"leads":[{"id":2,"time":"yesterday","phone":"+48501000001"}]}`, 422, 0, "bad_time", "is not RFC 3339", false},
		{"a body that is none", `{"leads":[`, 422, 0, "unreadable", "unexpected EOF", true},
		{"no list", `{"lead":[]}`, 422, 0, "unreadable", "there is no .leads", true},
		{"a program without an end", `{"leads":[{"slow":true,"phone":"+48501000001"}]}`, 422, 0, "unmapped", "goes beyond a limit", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := hooked(t)
			r := d.lead(row.body)
			if r.status != row.status {
				t.Errorf("%+v", r)
			}
			if n := len(d.records(pipelines.TopicEvents)); n != row.events {
				t.Errorf("%d events", n)
			}
			letters := d.letters()
			if len(letters) != 1 {
				t.Fatalf("%d letters", len(letters))
			}
			l := letters[0]
			if l.Code != row.code || !strings.Contains(l.Message, row.said) || strings.Contains(l.Message, "501000001") || l.Body != "" {
				t.Errorf("%+v", l)
			}
			if s := l.Source; s == nil || s.Source != "acme" || s.Instance != "landing" || s.Entry != "leads" || len(s.Version) != 12 {
				t.Errorf("%+v", l.Source)
			}
			b, err := l.Open([]byte("pepper"))
			if err != nil {
				t.Fatal(err)
			}
			p, err := delivery.DecodeParcel(b)
			if err != nil {
				t.Fatal(err)
			}
			if row.whole != (string(p.Body) == row.body) || row.whole == (len(p.Item) > 0) || strings.Contains(string(p.Request), "s3cret") || strings.Contains(string(p.Request), acmeKey) {
				t.Errorf("%s", b)
			}
		})
	}
}

// TestHookManyBad: a request of many bad items does not fill the dead letters with its envelope.
func TestHookManyBad(t *testing.T) {
	d := hooked(t)
	body := `{"note":"` + strings.Repeat("x", 100_000) + `","leads":[` + strings.TrimSuffix(strings.Repeat(`{"wrong":true},`, 500), ",") + `]}`
	if r := d.lead(body); r.status != 422 {
		t.Errorf("%+v", r)
	}
	letters := d.letters()
	if len(letters) != 1 {
		t.Fatalf("%d letters", len(letters))
	}
	b, err := letters[0].Open([]byte("pepper"))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := delivery.DecodeParcel(b); err != nil || string(p.Body) != body {
		t.Errorf("%v; %d bytes", err, len(b))
	}
}

func TestHookFetch(t *testing.T) {
	d := hooked(t)
	if r := d.hook(http.MethodPost, "crm/"+crmKey, "id=42&auth[token]=t0ken"); r.status != 200 {
		t.Errorf("%+v", r)
	}
	if n := len(d.records(pipelines.TopicEvents)); n != 0 {
		t.Errorf("%d events", n)
	}
	records := d.records(pipelines.TopicFetches)
	if len(records) != 1 {
		t.Fatalf("%d records", len(records))
	}
	f, err := delivery.DecodeFetch(records[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Open([]byte("pepper"))
	if err != nil {
		t.Fatal(err)
	}
	if string(records[0].Key) != "shop/crm" || f.Key() != "shop/crm" || f.Entry != "deals" || string(p.Item) != `{"auth":{"token":"t0ken"},"id":"42"}` || bytes.Contains(records[0].Value, []byte("t0ken")) {
		t.Errorf("%s: %+v, %s", records[0].Key, f, p.Item)
	}
}

// TestHookKafkaFails: without Kafka nothing is taken in silence.
func TestHookKafkaFails(t *testing.T) {
	d := hooked(t, func(c *Config) { c.DeliveryTimeout = time.Second })
	fault := d.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	for _, path := range []string{"acme/" + acmeKey, "crm/" + crmKey} {
		if r := d.hook(http.MethodPost, path, `{"leads":[`+lead("1")+`,{"wrong":true}]}`, "X-Token", "s3cret"); r.status != 503 || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: %+v", path, r)
		}
	}
	if n := testutil.CollectAndCount(d.metrics.hooks) + testutil.CollectAndCount(d.metrics.hookItems); n != 0 {
		t.Errorf("%d kinds are counted", n)
	}
	fault.Remove()
	d.await("an acceptance", func() bool { return d.lead(`{"leads":[`+lead("1")+`]}`).status == 202 })
}

// TestHookLimits: what is too large is refused as a whole, and a small request cannot bring too much.
func TestHookLimits(t *testing.T) {
	d := hooked(t)
	if r := d.lead(`{"leads":["` + strings.Repeat("x", 9<<20) + `"]}`); r.status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", r.status, r.text)
	}
	if n := len(d.records(pipelines.TopicDead)); n != 0 {
		t.Errorf("%d letters", n)
	}
}

// TestSlowSource: programs that take all their time harm no other source and no event.
func TestSlowSource(t *testing.T) {
	d := hooked(t)
	slow := make(chan hookReply, 8)
	for range cap(slow) {
		go func() { slow <- d.lead(`{"leads":[{"slow":true}]}`) }()
	}
	d.await("the slow ones", func() bool { return testutil.ToFloat64(d.metrics.requests) > 4 })
	began := time.Now()
	for i := range 10 {
		if r := d.hook(http.MethodPost, "crm/"+crmKey, fmt.Sprint("id=", i)); r.status != 200 {
			t.Errorf("%+v", r)
		}
		if r := d.post([]byte(visit(fmt.Sprint(i)))); r.status != http.StatusAccepted {
			t.Errorf("%+v", r)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the others waited %s", took)
	}
	for range cap(slow) {
		if r := <-slow; r.status != 422 && r.status != 503 {
			t.Errorf("%+v", r)
		}
	}
}

// TestNewSources: sources that were read again stand for the next request.
func TestNewSources(t *testing.T) {
	d := open(t)
	if r := d.lead(`{"leads":[` + lead("1") + `]}`); r.status != 401 {
		t.Errorf("%+v", r)
	}
	d.UseSources(hookSet(t))
	if r := d.lead(`{"leads":[` + lead("1") + `]}`); r.status != 202 {
		t.Errorf("%+v", r)
	}
}
