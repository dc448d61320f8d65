package loader

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// world is topics of a test's own on the shared broker, and what was written to them.
type world struct {
	name     string // the workspace
	cfg      Config
	client   *kgo.Client
	endings  *kafka.Endings
	produced int
}

const partitions = 3

func newWorld(t *testing.T, name string) *world {
	t.Helper()
	w := &world{name: name, cfg: DefaultConfig()}
	w.cfg.Kafka, w.cfg.TopicPrefix = realKafka(t), name+"."
	w.endings = kafka.NewEndings(name, w.topics(), time.Minute, zap.NewNop())
	client, err := kgo.NewClient(append(w.cfg.Kafka, kgo.TransactionalID(name), kgo.RecordPartitioner(kgo.ManualPartitioner()), w.endings.Hook())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w.client = client
	for _, topic := range w.topics() {
		if _, err := kadm.NewClient(client).CreateTopic(t.Context(), partitions, -1, nil, topic); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) topics() []string {
	return []string{w.cfg.topic(pipelines.TopicEvents), w.cfg.topic(pipelines.TopicFacts), w.cfg.topic(pipelines.TopicDead)}
}

// produce writes n more sample events and postings, in transactions as the stitcher does; some of these are aborted,
// and their records must not count. The last has ended everywhere when it returns: nobody reads past one that has not.
func (w *world) produce(t *testing.T, n int) {
	t.Helper()
	const each = 20
	for from := w.produced; from < w.produced+n; from += each {
		to := min(from+each, w.produced+n)
		if from/each%3 == 1 {
			w.transaction(t, from, to, kgo.TryAbort)
		}
		w.transaction(t, from, to, kgo.TryCommit)
	}
	if _, err := w.endings.Await(t.Context(), w.client); err != nil {
		t.Fatal(err)
	}
	w.produced += n
}

func (w *world) transaction(t *testing.T, from, to int, end kgo.TransactionEndTry) {
	t.Helper()
	if _, err := w.endings.Await(t.Context(), w.client); err != nil {
		t.Fatal(err)
	}
	if err := w.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	var records []*kgo.Record
	for i := from; i < to; i++ {
		p := int32(i % partitions)
		records = append(records,
			&kgo.Record{Topic: w.cfg.topic(pipelines.TopicEvents), Partition: p, Value: visit(w.name, i).Append(nil)},
			&kgo.Record{Topic: w.cfg.topic(pipelines.TopicFacts), Partition: p, Value: posting(w.name, i).Append(nil)})
	}
	if err := w.client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	w.endings.Ending()
	if err := w.client.EndTransaction(t.Context(), end); err != nil {
		t.Fatal(err)
	}
}

// write writes one record as it is.
func (w *world) write(t *testing.T, topic string, value []byte) {
	t.Helper()
	client, err := kgo.NewClient(w.cfg.Kafka...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: w.cfg.topic(topic), Value: value}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// loader makes one that is stopped by what trace returns.
func (w *world) loader(t *testing.T, trace func(step string) error) *Loader {
	t.Helper()
	cfg := w.cfg
	cfg.Trace = trace
	return New(cfg, writer(t), prometheus.NewRegistry(), zap.NewNop())
}

// start runs a loader; the function it returns stops it and gives back what Run returned.
func start(t *testing.T, l *Loader) (stop func() error) {
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		err := l.Run(ctx)
		if err != nil {
			t.Logf("the loader has ended: %v", err) // whoever waits for what it does learns it from here
		}
		result <- err
	}()
	return func() error {
		cancel()
		return <-result
	}
}

// drain runs a loader until nothing is left, neither records nor plans.
func (w *world) drain(t *testing.T) {
	t.Helper()
	stop := start(t, w.loader(t, nil))
	w.awaitDrained(t)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func (w *world) awaitDrained(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if w.drained(ctx, t) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("not drained within a minute")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (w *world) drained(ctx context.Context, t *testing.T) bool {
	t.Helper()
	a := kadm.NewClient(w.client)
	ends, err := a.ListEndOffsets(ctx, w.topics()...)
	err = errors.Join(err, ends.Error())
	if kerr.IsRetriable(err) { // a new topic of a busy broker, which nothing was written to, may not be led yet
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	at, err := a.FetchOffsets(ctx, w.cfg.topic(w.cfg.Group))
	if kerr.IsRetriable(err) { // the first group of a new broker: its coordinator is still being made
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	left := false
	ends.Each(func(end kadm.ListedOffset) {
		o, ok := at.Lookup(end.Topic, end.Partition)
		left = left || (end.Offset > 0 && (!ok || o.At < end.Offset || o.Metadata != ""))
	})
	return !left
}

// check compares what stands in ClickHouse with what was produced.
func (w *world) check(t *testing.T) {
	t.Helper()
	if got, want := counts(t, w.name), countsOf(w.produced); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
