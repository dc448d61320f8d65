package tail

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// filled is a Kafka with two events, two dead letters and a fetch.
func filled(t *testing.T) *kafka.Operator {
	t.Helper()
	topics := []string{}
	for _, name := range Kinds {
		topics = append(topics, "p."+name)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	put := func(topic string, value []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, &kgo.Record{Topic: "p." + topic, Value: value})
	}
	rules := &event.Rules{Workspace: "shop", Country: "PL", Pepper: []byte("p"), StoreContacts: true, Currencies: map[string]bool{}}
	for _, raw := range []string{
		`{"id":"v1","type":"visit","source":"site","time":"2026-11-01T10:00:00Z","identities":{"anonymous_id":"a"},"visit":{"url":"https://shop.example/?utm_source=news&utm_campaign=ala@x.example&mail=ala@x.example"}}`,
		`{"id":"c1","type":"call","source":"pbx","time":"2026-11-01T10:00:00Z","identities":{},"call":{"direction":"in","from":"+48501000001","to":"+48221112233","status":"answered"}}`,
	} {
		e, _, bad := event.Parse([]byte(raw), rules, time.Date(2026, 11, 1, 11, 0, 0, 0, time.UTC), event.Options{})
		if bad != nil {
			t.Fatal(bad)
		}
		put(pipelines.TopicEvents, e.Append(nil), nil)
	}
	for _, l := range []*deadletter.Letter{
		{Workspace: "shop", Key: "crm", Code: "bad_time", Message: `"ala@x.example" is no time`, Body: `{"phone":"+48501000001"}`},
		{Workspace: "shop", Key: "bot", Code: "unmapped", Message: "x", Source: &delivery.Source{Source: "telegram", Instance: "bot"}},
	} {
		b, err := l.Encode()
		put(pipelines.TopicDead, b, err)
	}
	f := &delivery.Fetch{Workspace: "shop", Source: delivery.Source{Source: "bitrix24", Instance: "crm"}, Parcel: &delivery.Parcel{Item: []byte(`{"phone":"+48501000001"}`)}}
	b, err := f.Encode()
	put(pipelines.TopicFetches, b, err)
	put(pipelines.TopicFacts, []byte("no posting \xff"), nil)
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	o, err := kafka.NewOperator(cluster.ListenAddrs(), nil, kafka.Login{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTail(t *testing.T) {
	o := filled(t)
	for _, row := range []struct {
		name, kind string
		filter     Filter
		since      time.Time
		most       int
		lines      int
		want       []string
	}{
		{"events", "events", Filter{}, time.Time{}, 0, 2, []string{`"id":"v1"`, `"status":"answered"`, `"identities":["phone"]`}},
		{"events of a type", "events", Filter{Type: "call"}, time.Time{}, 0, 1, []string{`"id":"c1"`}},
		{"events of a source", "events", Filter{Source: "site"}, time.Time{}, 0, 1, []string{`"source":"news"`}},
		{"events of nobody", "events", Filter{Workspace: "other"}, time.Time{}, 0, 0, nil},
		{"one event", "events", Filter{}, time.Time{}, 1, 1, nil},
		{"events of the last hour", "events", Filter{}, time.Now().Add(-time.Hour), 0, 2, nil},
		{"events of tomorrow", "events", Filter{}, time.Now().Add(24 * time.Hour), 0, 0, nil},
		{"letters", "dead", Filter{}, time.Time{}, 0, 2, []string{`"code":"bad_time"`}},
		{"letters of a source", "dead", Filter{Source: "bot"}, time.Time{}, 0, 1, []string{`"code":"unmapped"`}},
		{"letters of a code", "dead", Filter{Code: "bad_time"}, time.Time{}, 0, 1, []string{`"key":"crm"`}},
		{"fetches", "fetches", Filter{}, time.Time{}, 0, 1, []string{`"instance":"crm"`}},
		{"what cannot be read", "facts", Filter{}, time.Time{}, 0, 1, []string{`"error":`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			var out bytes.Buffer
			tail := Tail{Operator: o, Prefix: "p.", Kind: row.kind, Filter: row.filter, Since: row.since, Most: row.most}
			if err := tail.Run(ctx, &out); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(out.String(), "\n"); got != row.lines {
				t.Errorf("%d lines\n%s", got, &out)
			}
			for _, want := range row.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%s is not in\n%s", want, &out)
				}
			}
			for _, leak := range []string{"501000001", "ala@"} {
				if strings.Contains(out.String(), leak) {
					t.Errorf("%s is in\n%s", leak, &out)
				}
			}
		})
	}
	if err := (&Tail{Operator: o, Kind: "state"}).Run(t.Context(), &bytes.Buffer{}); err == nil {
		t.Error("the state was shown")
	}
	if err := (&Tail{Operator: o, Prefix: "other.", Kind: "dead"}).Run(t.Context(), &bytes.Buffer{}); err == nil {
		t.Error("a topic that is not there was shown")
	}
}

// TestFollow: what comes later is shown too, until the end is asked for.
func TestFollow(t *testing.T) {
	o := filled(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seen := make(chan string, 10)
	ended := make(chan error, 1)
	go func() {
		ended <- (&Tail{Operator: o, Prefix: "p.", Kind: "events", Follow: true}).Run(ctx, writer(func(b []byte) { seen <- string(b) }))
	}()
	for range 2 {
		select {
		case <-seen:
		case err := <-ended:
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }
