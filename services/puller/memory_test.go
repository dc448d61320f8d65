package puller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/event"
)

// What is decided here needs no Kafka to be tried, and fake time where there is none: a log in memory takes transactions whole, and a new
// life reads the state from it. What Kafka has to keep is tried on a real one (kafka_test.go).

// world is a vendor's stub, a log and the workspace that uses them.
type world struct {
	t   *testing.T
	set *sources.Set

	mu      sync.Mutex
	records []*kgo.Record
	commits int
	refuse  func(n int) error // whether Kafka takes the n-th transaction
	answer  func(r *http.Request) *http.Response
	asked   []string
	at      []time.Time
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.at = append(w.asked, r.URL.RequestURI()), append(w.at, time.Now())
	res := w.answer(r)
	res.Request = r
	return res, nil
}

func says(status int, body string, header ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(header); i += 2 {
		res.Header.Set(header[i], header[i+1])
	}
	return res
}

// spend is a program that makes an event of {id, date, amount}.
const spend = `{id: ("s" + (.id | tostring)), type: "spend", time: $received, spend: {date: .date, amount: .amount}}`

// deal makes one of a deal that was asked back, and of one that is gone.
const deal = `if $responses.deal == null then {id: ("gone" + .id), type: "deal", time: $received, deal: {id: .id, deleted: true}, identities: {crm_contact: .id}}
        else {id: ("d" + .id), type: "deal", time: $received, deal: {id: .id, stage: $responses.deal.stage}, identities: {crm_contact: .id}} end`

// newWorld binds a source whose pull has these fields.
func newWorld(t *testing.T, pull string) *world {
	t.Helper()
	set, err := bind(definition(pull, "api.example", "https://api.example"))
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, set: set, refuse: func(int) error { return nil }}
}

func definition(pull, host, base string) string {
	pull = "      " + strings.ReplaceAll(strings.Trim(pull, "\n"), "\n", "\n      ")
	return `
name: stub
title: Stub
settings:
  id: {about: the client, default: us}
  refresh: {about: a refresh token, secret: true, default: first}
  accounts: {about: what is pulled one by one, default: [a]}
entries:
  - name: costs
    kind: pull
    makes: [spend]
    read: {format: json, items: ".items[]"}
    map: '` + spend + `'
    pull:
      hosts: ["` + host + `"]
      retries: {attempts: 3, first: 1s, longest: 2s}
` + pull + `
  - name: deals
    kind: webhook
    makes: [deal]
    unchecked: a test
    read: {format: json}
    map: |
        ` + deal + `
    fetch:
      hosts: ["` + host + `"]
      retries: {attempts: 2, first: 1s, longest: 2s}
      requests:
        - {name: deal, request: '{url: ("` + base + `/deals/" + .id)}', absent: [404]}
`
}

func bind(definition string) (*sources.Set, error) {
	list, err := sources.Load(fstest.MapFS{"stub/source.yaml": {Data: []byte(definition)}}, "test")
	if err != nil {
		return nil, err
	}
	w := workspace.Workspace{
		Name: "shop", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "pepper", Keys: []workspace.Key{{Name: "k", Secret: "sk_0123456789"}},
		Sources: []workspace.Source{{Name: "ads", Source: "stub", Key: "0123456789abcdef0123456789abcdef"}},
	}
	return bindTo(list, w)
}

func bindTo(list []*sources.Source, w workspace.Workspace) (*sources.Set, error) {
	if err := w.Validate(); err != nil {
		return nil, err
	}
	return sources.Bind(list, []workspace.Workspace{w})
}

// life is an owner that reads what the log has, as a process that starts does.
func (w *world) life() *owner {
	p := New(DefaultConfig(), w.set, prometheus.NewRegistry(), zap.NewNop())
	p.cfg.Transport = w
	p.events, p.dead, p.fetches, p.pulls = 3, 3, 1, 1
	o := &owner{p: p, log: zap.NewNop(), orders: map[pullID]chan struct{}{}, state: newState()}
	for _, r := range w.records {
		if r.Topic == pipelines.TopicPulls {
			if err := o.state.take(r); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	o.transact = func(_ context.Context, records []*kgo.Record) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.commits++
		if err := w.refuse(w.commits); err != nil {
			return err
		}
		w.records = append(w.records, records...)
		return nil
	}
	return o
}

func (w *world) job(o *owner) *job {
	i := w.set.Instances[0]
	e, _ := i.Source.Entry("costs")
	return newJob(o.instance(i, instanceID{"shop", "ads"}), e)
}

// once runs the pull once, in a life of its own.
func (w *world) once(order *Order) (Pull, error) {
	j := w.job(w.life())
	j.slot.held = true
	j.slot.slots <- struct{}{}
	err := j.run(w.t.Context(), order)
	return j.state, err
}

// ids are those of the events, each as often as the log has it.
func (w *world) ids() map[string]int {
	out := map[string]int{}
	for _, r := range w.records {
		if r.Topic == pipelines.TopicEvents {
			e, err := event.Decode(r.Value)
			if err != nil {
				w.t.Fatal(err)
			}
			out[e.ID]++
		}
	}
	return out
}

func (w *world) letters() (out []*deadletter.Letter) {
	for _, r := range w.records {
		if r.Topic == pipelines.TopicDead {
			l, err := deadletter.Decode(r.Value)
			if err != nil {
				w.t.Fatal(err)
			}
			out = append(out, l)
		}
	}
	return out
}

// costs is a page of spend.
func costs(more string, ids ...int) string {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"id":%d,"date":"2026-11-01","amount":"1.50"}`, id))
	}
	return `{"items":[` + strings.Join(list, ",") + `]` + more + `}`
}

var errKafka = errors.New("no Kafka")

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
