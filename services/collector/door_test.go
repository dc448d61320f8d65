package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zaptest"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/workspace"
)

// door is a collector with a Kafka that is good enough for a producer.
type door struct {
	testing.TB
	*Collector
	cluster *kfake.Cluster
	server  *httptest.Server
	stop    func() error
}

const (
	eventPartitions = 12
	deadPartitions  = 5
)

func workspaces(t testing.TB) []workspace.Workspace {
	t.Helper()
	list := []workspace.Workspace{{
		Name: "shop", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "pepper",
		Keys:  []workspace.Key{{Name: "crm", Secret: "sk_shop"}, {Name: "site", Public: "pk_shop", Origins: []string{"https://shop.example"}}},
		Pools: []workspace.Pool{{Name: "site", Numbers: []string{"+48221110001", "+48221110002"}, Fallback: "+48221110009"}},
	}, {
		Name: "open", Timezone: "UTC", Currency: "EUR", Country: "PL", Pepper: "other", StoreContacts: true,
		Keys: []workspace.Key{{Name: "crm", Secret: "sk_open"}},
	}}
	if err := workspace.Validate(list); err != nil {
		t.Fatal(err)
	}
	return list
}

// unconnected is a collector whose Run is up to the test.
func unconnected(t *testing.T, change ...func(*Config)) *door {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return unconnectedTo(t, cluster, change...)
}

func unconnectedTo(t *testing.T, cluster *kfake.Cluster, change ...func(*Config)) *door {
	t.Helper()
	for topic, n := range map[string]int32{pipelines.TopicEvents: eventPartitions, pipelines.TopicDead: deadPartitions, pipelines.TopicLeases: deadPartitions, pipelines.TopicFetches: deadPartitions} {
		if err := cluster.CreateTopic("p."+topic, n, map[string]string{"max.message.bytes": "25165824"}); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			t.Fatal(err)
		}
	}
	cfg := DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.Linger = []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)}, "p.", 0
	for _, f := range change {
		f(&cfg)
	}
	var server *httptest.Server
	cfg.Advertise = func() string { return server.URL }
	c := New(cfg, workspaces(t), prometheus.NewRegistry(), zaptest.NewLogger(t))
	mux := http.NewServeMux()
	c.Register(mux)
	server = httptest.NewUnstartedServer(mux)
	server.Config.ReadTimeout = time.Second
	server.Start()
	t.Cleanup(server.Close)
	return &door{TB: t, Collector: c, cluster: cluster, server: server}
}

// open is a collector that runs and is connected.
func open(t *testing.T, change ...func(*Config)) *door {
	t.Helper()
	d := unconnected(t, change...)
	return d.run(t)
}

// openOn is another one on the same Kafka.
func openOn(t *testing.T, cluster *kfake.Cluster) *door {
	t.Helper()
	return unconnectedTo(t, cluster).run(t)
}

func (d *door) run(t *testing.T) *door {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	d.stop = func() error {
		cancel()
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() { _ = d.stop() })
	d.await("the connection", func() bool { return d.Ready(t.Context()) == nil })
	return d
}

// await waits until something holds.
func (d *door) await(what string, holds func() bool) {
	d.Helper()
	tick, late := time.NewTicker(time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			d.Fatalf("waited too long for %s", what)
		}
	}
}

// reply is what a sender gets.
type reply struct {
	status int
	header http.Header
	text   string
	answer
}

func (r reply) codes() string {
	var codes []string
	for _, x := range r.Rejected {
		codes = append(codes, string(x.Code))
	}
	return strings.Join(codes, " ")
}

func (d *door) post(body []byte, headers ...string) reply {
	d.Helper()
	req, err := http.NewRequestWithContext(d.Context(), http.MethodPost, d.server.URL+"/v1/events", bytes.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sk_shop")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		d.Fatal(err)
	}
	r := reply{status: res.StatusCode, header: res.Header, text: text.String()}
	if err := json.Unmarshal(text.Bytes(), &r.answer); err != nil {
		d.Fatalf("answer %d is not JSON: %s", r.status, r.text)
	}
	if (r.status == http.StatusAccepted) != (r.Error == nil) {
		d.Errorf("answer %d: every answer but a 202 has an error: %s", r.status, r.text)
	}
	return r
}

// records are all that a topic holds.
func (d *door) records(topic string) []*kgo.Record {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), 10*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(d.cluster.ListenAddrs()...), kgo.ConsumeTopics("p."+topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		d.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, "p."+topic)
	if err != nil {
		d.Fatal(err)
	}
	want := int64(0)
	ends.Each(func(o kadm.ListedOffset) { want += o.Offset })
	var out []*kgo.Record
	for int64(len(out)) < want {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			d.Fatal(err)
		}
		out = append(out, fetches.Records()...)
	}
	return out
}

// visit is a good event.
func visit(id string) string {
	return `{"id":"` + id + `","type":"visit","source":"site","time":"2026-11-01T10:00:00Z","identities":{"anonymous_id":"a-` + id + `"},"visit":{"url":"https://shop.example/"}}`
}

// wrong is an event with a fault, and a phone.
func wrong(id string) string {
	return `{"id":"` + id + `","type":"visit","source":"site","time":"yesterday","identities":{"phone":"+48501000001"},"visit":{"url":"https://shop.example/"}}`
}
