package puller

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/internal/embedded"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// What is promised over crashes is promised by Kafka: these tests run on a real one, and kill real processes.

// child is what a process of a test is told.
type child struct {
	Brokers, Definition, Prefix string
	Instances                   int
	// DieAt kills the process, as kill -9 does, when this step of a transaction is reached the Nth time.
	DieAt string
	N     int
}

const childVariable = "THROUGHLINE_TEST_PULLER"

func TestMain(m *testing.M) {
	embedded.Main()
	if told := os.Getenv(childVariable); told != "" {
		var c child
		if err := json.Unmarshal([]byte(told), &c); err != nil {
			panic(err)
		}
		c.run()
		return
	}
	os.Exit(m.Run())
}

func (c child) config() Config {
	cfg := DefaultConfig()
	cfg.Kafka, cfg.TopicPrefix, cfg.SessionTimeout = []kgo.Opt{kgo.SeedBrokers(c.Brokers)}, c.Prefix, 6*time.Second
	return cfg
}

func (c child) run() {
	set, err := bindMany(c.Definition, c.Instances)
	if err != nil {
		panic(err)
	}
	log, err := zap.NewDevelopment()
	if err != nil {
		panic(err)
	}
	p := New(c.config(), set, prometheus.NewRegistry(), log)
	seen := 0
	var mu sync.Mutex
	p.step = func(step string) {
		mu.Lock()
		defer mu.Unlock()
		if step == c.DieAt {
			if seen++; seen == c.N {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
	}
	panic(p.Run(context.Background()))
}

func (c child) start(t *testing.T) *exec.Cmd {
	t.Helper()
	told, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(logs(t), c.Prefix+"log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(told))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	return cmd
}

// kill is kill -9 of one process of ours.
func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // it may be dead already
	_ = cmd.Wait()
}

var logs = func(t *testing.T) string {
	dir := filepath.Join(os.TempDir(), "throughline-puller-logs-"+strconv.Itoa(os.Getpid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("the processes' logs are kept in", dir)
			return
		}
		_ = os.RemoveAll(dir)
	})
	return dir
}

// realKafka is a broker with the topics of a system, and its address.
func realKafka(t *testing.T, prefix string, partitions int32) string {
	t.Helper()
	embedded.TestEngines(t)
	k, err := embedded.StartKafka(t.Context(), embedded.Config{Data: t.TempDir(), Engines: embedded.EnginesDir(), Kafka: "127.0.0.1:0"}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Stop)
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var specs []kafka.TopicSpec
	for _, topic := range pipelines.Topics {
		spec := kafka.TopicSpec{Name: prefix + topic.Name, Partitions: partitions, Replication: -1, Configs: map[string]string{kafka.CleanupPolicy: "delete"}}
		if topic.Compact {
			spec.Configs[kafka.CleanupPolicy] = "compact"
		}
		specs = append(specs, spec)
	}
	if err := kafka.EnsureTopics(t.Context(), client, specs); err != nil {
		t.Fatal(err)
	}
	return k.Addr()
}

// vendor is a vendor that is hard to ask: it throttles, fails in the middle of a list, and takes tokens back.
type vendor struct {
	*httptest.Server
	pages, size int

	mu     sync.Mutex
	rnd    *rand.Rand
	grants map[string]*grant // by client
	counts map[string]int
}

// latency is long enough for kills to meet a pull in the middle.
const latency = 30 * time.Millisecond

// grant is what one client may do. Refresh are the refresh tokens that are taken: the last, and the one before until the last's token was
// used once, as vendors do that know of crashes.
type grant struct {
	refresh map[string]bool
	access  string
	uses, n int
}

func newVendor(t *testing.T, pages, size int) *vendor {
	v := &vendor{pages: pages, size: size, rnd: rand.New(rand.NewPCG(1, 2)), grants: map[string]*grant{}, counts: map[string]int{}}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	<-time.After(latency)
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.URL.Path == "/token" {
		v.token(w, r)
		return
	}
	client, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "/")
	g := v.grants[client]
	if g == nil || r.Header.Get("Authorization") != "Bearer "+g.access || g.uses > 60 {
		v.counts["unauthorized"]++
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.uses++
	g.refresh = map[string]bool{"refresh-" + strconv.Itoa(g.n): true}
	switch chance := v.rnd.IntN(100); {
	case chance < 2:
		v.counts["throttled"]++
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case chance < 8:
		v.counts["failed"]++
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/deals/"); ok {
		fmt.Fprintf(w, `{"stage":"stage of %s"}`, id)
		return
	}
	q := r.URL.Query()
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	var list []string
	for n := range v.size {
		list = append(list, fmt.Sprintf(`{"id":"%s-%s-%d-%d","date":%q,"amount":"1.5"}`, q.Get("account"), q.Get("from"), page, n, q.Get("from")))
	}
	fmt.Fprintf(w, `{"items":[%s],"more":%t}`, strings.Join(list, ","), page < v.pages)
}

func (v *vendor) token(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	client := r.FormValue("client_id")
	if v.grants[client] == nil {
		v.grants[client] = &grant{refresh: map[string]bool{"first": true}}
	}
	g := v.grants[client]
	if !g.refresh[r.FormValue("refresh_token")] {
		v.counts["invalid"]++
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant"}`)
		return
	}
	g.n++
	g.uses, g.access = 0, client+"/"+strconv.Itoa(g.n)
	g.refresh["refresh-"+strconv.Itoa(g.n)] = true
	v.counts["tokens"]++
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":3600,"refresh_token":"refresh-%d"}`, g.access, g.n)
}

// definition asks this vendor for everything that there is.
func (v *vendor) definition() string {
	host := strings.TrimPrefix(v.URL, "http://")
	d := definition(`
every: 24h
for_each: '"a", "b"'
window: {days: 4, chunk: 1}
timeout: 5s
auth: {kind: oauth2_refresh, token_url: "`+v.URL+`/token", client_id: id, refresh_token: refresh}
requests:
  - name: list
    request: '{url: "`+v.URL+`/costs", query: {account: $account, from: $window.from, page: $page.number}}'
    pages: {kind: page, first: 1, more: .more}
`, host, v.URL)
	d = strings.ReplaceAll(d, "retries: {attempts: 3, first: 1s, longest: 2s}", "retries: {attempts: 10, first: 20ms, longest: 100ms}")
	return strings.ReplaceAll(d, "      retries: {attempts: 2, first: 1s, longest: 2s}\n",
		"      retries: {attempts: 10, first: 20ms, longest: 100ms}\n      auth: {kind: oauth2_refresh, token_url: \""+v.URL+"/token\", client_id: id, refresh_token: refresh}\n")
}

// bindMany binds as many instances of one source.
func bindMany(definition string, n int) (*sources.Set, error) {
	one, err := bind(definition)
	if err != nil {
		return nil, err
	}
	w := *one.Instances[0].Workspace
	given := w.Sources[0]
	w.Sources = nil
	for i := range n {
		s := given
		s.Name, s.Key = fmt.Sprintf("ads-%d", i), fmt.Sprintf("%032d", i)
		s.Settings = map[string]any{"id": fmt.Sprintf("client-%d", i)}
		w.Sources = append(w.Sources, s)
	}
	return bindTo([]*sources.Source{one.Instances[0].Source}, w)
}

// committed are the events that Kafka has, by source and id, and how often each.
func committed(t *testing.T, addr, prefix string, partitions int) map[string]int {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	topic := prefix + pipelines.TopicEvents
	ends, err := kadm.NewClient(client).ListCommittedOffsets(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for p := range partitions {
		end, _ := ends.Lookup(topic, int32(p))
		err := kafka.ReadCommitted(t.Context(), addr, topic, p, 0, end.Offset, func(r kafka.Record) error {
			e, err := event.Decode(r.Value)
			if err != nil {
				return err
			}
			out[e.Source+" "+e.ID]++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// hooks writes what the collector writes of hooks.
func hooks(t *testing.T, c child, from, to int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for n := from; n < to; n++ {
		f := &delivery.Fetch{
			Workspace: "shop", Source: delivery.Source{Source: "stub", Instance: fmt.Sprintf("ads-%d", n%c.Instances), Entry: "deals"},
			ReceivedAt: time.Now().UTC().Format(time.RFC3339Nano),
		}
		if err := f.Keep([]byte("pepper"), &delivery.Parcel{Item: fmt.Appendf(nil, `{"id":"%d"}`, n)}, false); err != nil {
			t.Fatal(err)
		}
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		r := &kgo.Record{Topic: c.Prefix + pipelines.TopicFetches, Key: []byte(f.Key()), Value: b, Partition: pipelines.KeyPartition(f.Key(), testPartitions)}
		if err := client.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

const testPartitions = 3
