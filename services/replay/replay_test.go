package replay

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

const definition = `
name: leads
title: Leads
entries:
  - name: hook
    kind: webhook
    makes: [form]
    unchecked: a test
    read: {format: json, items: ".leads[]"}
    map: |
      %s
  - name: ids
    kind: webhook
    makes: [deal]
    unchecked: a test
    read: {format: json}
    map: empty
    fetch: {hosts: [x.example], requests: [{name: a, request: '{url: "https://x.example"}'}]}
`

// Mappings before and after they were mended.
const (
	broken = `error("not yet")`
	mended = `{id: (.id | text), type: "form", time: ($envelope.at // $received), identities: {phone: .phone}, form: {form_id: $request.query.form}}`
)

var now = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

// world is a Kafka with dead letters, and a replay of them.
type world struct {
	t       *testing.T
	cluster *kfake.Cluster
	Replay
}

func newWorld(t *testing.T, program string) *world {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "p."+pipelines.TopicEvents, "p."+pipelines.TopicDead, "p."+pipelines.TopicFetches))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	o, err := kafka.NewOperator(cluster.ListenAddrs(), nil, kafka.Login{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, cluster: cluster}
	w.Replay = Replay{Operator: o, Kafka: []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)}, Prefix: "p.", Now: func() time.Time { return now }}
	w.mend(program)
	return w
}

// mend gives the source another mapping.
func (w *world) mend(program string) {
	w.t.Helper()
	list, err := sources.Load(fstest.MapFS{"leads/source.yaml": {Data: []byte(strings.Replace(definition, "%s", program, 1))}}, "test")
	if err != nil {
		w.t.Fatal(err)
	}
	w.Workspaces = []workspace.Workspace{{
		Name: "shop", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "pepper",
		Keys:    []workspace.Key{{Name: "crm", Secret: "sk"}, {Name: "site", Public: "pk"}},
		Sources: []workspace.Source{{Name: "landing", Source: "leads", Key: "key-of-an-address"}},
	}}
	if err := workspace.Validate(w.Workspaces); err != nil {
		w.t.Fatal(err)
	}
	if w.Sources, err = sources.Bind(list, w.Workspaces); err != nil {
		w.t.Fatal(err)
	}
}

// bury writes letters.
func (w *world) bury(letters ...*deadletter.Letter) {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	for _, l := range letters {
		b, err := l.Encode()
		if err != nil {
			w.t.Fatal(err)
		}
		if err := client.ProduceSync(w.t.Context(), &kgo.Record{Topic: "p." + pipelines.TopicDead, Value: b}).FirstErr(); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) run() *Result {
	w.t.Helper()
	r, err := w.Run(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// events are those that Kafka has, by id.
func (w *world) events() map[string][]*event.Event {
	w.t.Helper()
	out := map[string][]*event.Event{}
	for _, r := range w.records(pipelines.TopicEvents) {
		e, err := event.Decode(r.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		out[e.Key()] = append(out[e.Key()], &e)
	}
	return out
}

func (w *world) records(topic string) (out []*kgo.Record) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...), kgo.ConsumeTopics("p."+topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, "p."+topic)
	if err != nil {
		w.t.Fatal(err)
	}
	want := int64(0)
	ends.Each(func(o kadm.ListedOffset) { want += o.Offset })
	for int64(len(out)) < want {
		f := client.PollFetches(ctx)
		if err := f.Err(); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, f.Records()...)
	}
	return out
}

// vendors is a letter of a source, sealed as the collector does.
func vendors(t *testing.T, code, entry string, p *delivery.Parcel) *deadletter.Letter {
	t.Helper()
	b, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	l := &deadletter.Letter{Workspace: "shop", Key: "landing", Code: code, ReceivedAt: "2026-11-01T10:00:00.5Z", Source: &delivery.Source{Source: "leads", Instance: "landing", Entry: entry, Version: "old"}}
	if err := l.Seal([]byte("pepper"), b); err != nil {
		t.Fatal(err)
	}
	return l
}

func senders(t *testing.T, key, code, body string) *deadletter.Letter {
	t.Helper()
	l := &deadletter.Letter{Workspace: "shop", Key: key, Code: code, ReceivedAt: "2026-11-01T10:00:00Z"}
	if err := l.Keep([]byte("pepper"), []byte(body), false); err != nil {
		t.Fatal(err)
	}
	return l
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// TestMended: after a mapping was mended its letters come in, however often they are sent, with the same ids, times and content; before,
// nothing does.
func TestMended(t *testing.T) {
	w := newWorld(t, broken)
	request := raw(`{"query":{"form":"spring"}}`)
	w.bury(
		vendors(t, "unmapped", "hook", &delivery.Parcel{Item: raw(`{"id":9007199254740993,"phone":"+48501000001"}`), Envelope: raw(`{"at":"2026-10-30T10:00:00Z"}`), Request: request}),
		vendors(t, "unmapped", "hook", &delivery.Parcel{Item: raw(`{"id":2,"phone":"+48501000002"}`), Envelope: raw(`{}`), Request: request}),
		vendors(t, "unreadable", "hook", &delivery.Parcel{Body: []byte(`{"leads":[{"id":3,"phone":"+48501000003"},{"id":4,"phone":"+48501000004"}]}`), Request: request}),
		vendors(t, "unmapped", "ids", &delivery.Parcel{Item: raw(`{"id":5}`)}),
	)
	if r := w.run(); r.Letters != 4 || r.Sent != 1 || r.Bad["unmapped"] != 3 || r.Events != 0 || r.Fetches != 1 || !strings.Contains(r.First["unmapped"], "not yet") {
		t.Errorf("%+v", r)
	}
	w.mend(mended)
	w.DryRun = true
	if r := w.run(); r.Sent != 4 || r.Events != 4 || len(w.events()) != 0 {
		t.Errorf("%+v", r)
	}
	w.DryRun = false
	for range 3 {
		if r := w.run(); r.Sent != 4 || r.Events != 4 || r.Fetches != 1 || len(r.Bad) != 0 {
			t.Errorf("%+v", r)
		}
	}
	got := w.events()
	if len(got) != 4 {
		t.Errorf("%d ids", len(got))
	}
	for key, list := range got {
		if len(list) != 3 || list[0].Content != list[2].Content || list[0].Form.FormID != "spring" {
			t.Errorf("%s: %d, %+v", key, len(list), list[0])
		}
	}
	if e := got["landing/9007199254740993"]; e == nil || e[0].Time != time.Date(2026, 10, 30, 10, 0, 0, 0, time.UTC).UnixMilli() {
		t.Errorf("%+v", e)
	}
	if e := got["landing/2"]; e == nil || e[0].Time != time.Date(2026, 11, 1, 10, 0, 0, 5e8, time.UTC).UnixMilli() {
		t.Errorf("$received is not when it came: %+v", e)
	}
	if n := len(w.records(pipelines.TopicFetches)); n != 4 {
		t.Errorf("%d fetches", n)
	}
	if n := len(w.records(pipelines.TopicDead)); n != 4 {
		t.Errorf("%d letters: a replay makes none", n)
	}
}

// TestSenders: what was sent as an event goes through the rules of today; a page's key gets no more rights than it had.
func TestSenders(t *testing.T) {
	w := newWorld(t, broken)
	const form = `"type":"form","source":"site","time":"2026-11-02T09:00:00Z","identities":{"email":"x@example.com"},"form":{}`
	w.bury(
		senders(t, "crm", "time_in_future", `{"id":"1",`+form+`}`),
		senders(t, "crm", "bad_time", `{"id":"2","type":"form","source":"site","time":"yesterday","identities":{"email":"x@example.com"},"form":{}}`),
		senders(t, "site", "time_in_future", `{`+form+`}`),
		senders(t, "site", "bad_type", `{"id":"3","type":"deal","source":"crm","time":"2026-11-02T09:00:00Z","deal":{"id":"d"}}`),
		senders(t, "gone", "bad_time", `{"id":"4",`+form+`}`),
		senders(t, "crm", "bad_json", `{"id":`),
	)
	for range 2 {
		r := w.run()
		if r.Letters != 6 || r.Sent != 2 || r.Bad["bad_time"] != 1 || r.Bad["bad_type"] != 1 || r.Bad["bad_json"] != 1 || r.Skipped[string(noSender)] != 1 {
			t.Errorf("%+v", r)
		}
	}
	got := w.events()
	if len(got) != 2 {
		t.Errorf("%d ids: an event without one must get the same each time", len(got))
	}
}

func TestLeftOut(t *testing.T) {
	w := newWorld(t, mended)
	other := vendors(t, "unmapped", "hook", &delivery.Parcel{Item: raw(`{"id":1}`)})
	other.Source.Instance = "gone"
	entry := vendors(t, "unmapped", "gone", &delivery.Parcel{Item: raw(`{"id":1}`)})
	sealed := senders(t, "crm", "bad_time", `{}`)
	sealed.Sealed[len(sealed.Sealed)-1] ^= 1
	w.bury(other, entry, sealed,
		&deadletter.Letter{Workspace: "nobody", Code: "bad_time", Body: "{}"},
		&deadletter.Letter{Workspace: "shop", Code: "bad_time", Topic: "t", Record: []byte("x")},
		&deadletter.Letter{Workspace: "shop", Key: "crm", Code: "bad_time"},
		vendors(t, "unreadable", "hook", &delivery.Parcel{Item: raw(`null`)}),
	)
	r := w.run()
	for _, reason := range []skipped{noWorkspace, noPepper, noSource, noEntry, noItem} {
		if r.Skipped[string(reason)] != 1 {
			t.Errorf("%s: %+v", reason, r)
		}
	}
	if r.Skipped[string(noParcel)] != 2 || r.Letters != 7 || len(w.events()) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestFilter(t *testing.T) {
	w := newWorld(t, mended)
	w.bury(
		vendors(t, "unmapped", "hook", &delivery.Parcel{Item: raw(`{"id":1,"phone":"+48501000001"}`)}),
		senders(t, "crm", "bad_time", `{}`),
		senders(t, "site", "bad_time", `{}`),
	)
	for _, row := range []struct {
		filter Filter
		want   int
	}{
		{Filter{}, 3}, {Filter{Workspace: "shop"}, 3}, {Filter{Workspace: "other"}, 0}, {Filter{Source: "landing"}, 1}, {Filter{Source: "crm"}, 1},
		{Filter{Code: "bad_time"}, 2}, {Filter{Code: "bad_time", Source: "site"}, 1}, {Filter{Since: time.Now().Add(time.Hour)}, 0},
		{Filter{Since: time.Now().Add(-time.Hour)}, 3}, {Filter{Until: time.Now().Add(-time.Hour)}, 0},
	} {
		w.Filter, w.DryRun = row.filter, true
		if r := w.run(); r.Letters != row.want {
			t.Errorf("%+v: %d letters", row.filter, r.Letters)
		}
	}
}

// TestKafkaAway: what is not in is not said to be.
func TestKafkaAway(t *testing.T) {
	w := newWorld(t, mended)
	w.bury(vendors(t, "unmapped", "hook", &delivery.Parcel{Item: raw(`{"id":1,"phone":"+48501000001"}`)}))
	w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := w.Run(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "run it again") {
		t.Errorf("%v", err)
	}
}
