package importer

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/event"
)

const definition = `
name: leads
title: Leads
about: An export of leads and deals.
entries:
  - name: rows
    kind: file
    makes: [form, deal]
    read:
      format: csv
      table: {headers: [{columns: {id: id, time: time, phone: phone, amount: amount}, optional: [amount]}]}
    map: |
      if .phone == null then empty else
      {id: ("f-" + .id), type: "form", time: .time, identities: {phone: .phone}, form: {form_id: "lead"}},
      (select(.amount) | {id: ("d-" + .id), type: "deal", time: .time, identities: {phone: .phone}, deal: {id: .id, status: "won", amount: .amount, currency: "EUR"}})
      end
  - name: other
    kind: file
    makes: [form]
    read: {format: ndjson}
    map: '{id: "\(.id)-\($received)", type: "form", time: .time, identities: {phone: .phone}, form: {form_id: "x"}}'
`

// world is a workspace with a source, and a Kafka.
type world struct {
	testing.TB
	dir      string
	instance *sources.Instance
	cluster  *kfake.Cluster
	cfg      Config
}

const partitions = 4

func newWorld(t testing.TB) *world {
	t.Helper()
	list, err := sources.Load(fstest.MapFS{"leads/source.yaml": {Data: []byte(definition)}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	w := []workspace.Workspace{{
		Name: "shop", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "0123456789abcdef",
		Keys: []workspace.Key{{Name: "k", Secret: "sk_shop"}}, Sources: []workspace.Source{{Name: "old-leads", Source: "leads"}},
	}}
	if err := workspace.Validate(w); err != nil {
		t.Fatal(err)
	}
	set, err := sources.Bind(list, w)
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	for _, topic := range pipelines.Topics {
		if err := cluster.CreateTopic("p."+topic.Name, partitions, nil); err != nil {
			t.Fatal(err)
		}
	}
	x := &world{TB: t, dir: t.TempDir(), instance: set.Instances[0], cluster: cluster, cfg: DefaultConfig()}
	x.cfg.Kafka, x.cfg.TopicPrefix, x.cfg.MaxLag = []kgo.Opt{kgo.SeedBrokers(cluster.ListenAddrs()...)}, "p.", 0
	return x
}

func (x *world) way(entry string) *Way {
	x.Helper()
	e, err := EntryOf(x.instance.Source, entry)
	if err != nil {
		x.Fatal(err)
	}
	w, err := Through(x.instance, e, 0)
	if err != nil {
		x.Fatal(err)
	}
	return w
}

// write makes a file.
func (x *world) write(name, text string) string {
	x.Helper()
	path := filepath.Join(x.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		x.Fatal(err)
	}
	return path
}

// rows is a table of n rows with an id each.
func rows(n int) string {
	var b strings.Builder
	b.WriteString("id,time,phone,amount\n")
	for i := range n {
		fmt.Fprintf(&b, "%d,2026-10-%02dT10:00:00Z,+4850%07d,\n", i, 1+i%28, i)
	}
	return b.String()
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	if err := errors.Join(err, z.Close()); err != nil {
		panic(err)
	}
	return b.String()
}

// run imports files, which must come to an end.
func (x *world) run(w *Way, change func(*Config), files ...string) []File {
	x.Helper()
	done, err := x.try(w, change, files...)
	if err != nil {
		x.Fatal(err)
	}
	return done
}

func (x *world) try(w *Way, change func(*Config), files ...string) ([]File, error) {
	x.Helper()
	cfg := x.cfg
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return New(cfg, w).Run(ctx, files)
}

// records are all of a topic.
func (x *world) records(topic string) (out []*kgo.Record) {
	x.Helper()
	client, err := kgo.NewClient(append(x.cfg.Kafka, kgo.ConsumeTopics("p."+topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	if err != nil {
		x.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, "p."+topic)
	if err != nil {
		x.Fatal(err)
	}
	n := 0
	ends.Each(func(o kadm.ListedOffset) { n += int(o.Offset) })
	for len(out) < n {
		f := client.PollFetches(ctx)
		if ctx.Err() != nil {
			x.Fatalf("%d of %d records: %v", len(out), n, f.Err())
		}
		out = append(out, f.Records()...)
	}
	return out
}

// events are how often each id is in Kafka.
func (x *world) events() map[string]int {
	x.Helper()
	out := map[string]int{}
	for _, r := range x.records(pipelines.TopicEvents) {
		e, err := event.Decode(r.Value)
		if err != nil {
			x.Fatal(err)
		}
		out[e.ID]++
	}
	return out
}

func (x *world) letters() (out []*deadletter.Letter) {
	x.Helper()
	for _, r := range x.records(pipelines.TopicDead) {
		l, err := deadletter.Decode(r.Value)
		if err != nil {
			x.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}
