// Package loader writes what Kafka holds, raw events and postings, into ClickHouse.
//
// Exactly once, without a transaction over both: what a batch consists of (its plan) is committed to Kafka before it
// is inserted, and after a crash the very same batch is inserted again, under the same deduplication tokens, which
// ClickHouse recognises in the tables and in what their views fill. A process that slept while others took its partitions
// over repeats inserts that are known, and its commits are refused. A record that cannot be decoded goes to the dead
// letters before its batch is committed: never lost, though a crash can repeat it there. A batch that is running when Run's
// context ends is left to the next start. How far partitions are loaded stands in ClickHouse too, beside the rows: where the group's
// offsets are behind that, they are not believed.
//
// What it stands on is ClickHouse's memory of tokens, which is 10,000 inserts long for each table. ClickHouse 26.7 writes a
// token down a tenth of a millisecond before the rows are in their place: a kill -9 of the server in between makes it
// refuse the repetition of rows that it does not have. The embedded engine is mended before it starts
// (services/internal/embedded/clickhouse_memory.go); for a server of your own `throughline audit` names the rows.
package loader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// Loader is one process's share of the partitions.
type Loader struct {
	cfg     Config
	db      driver.Conn
	log     *zap.Logger
	metrics *metrics
	client  *kgo.Client
	made    chan struct{} // closed once there is a client: it joins the group while it is made
	settled settled
	ahead   ahead
	busy    sync.Mutex           // while a batch is loaded: its partitions are ours
	ids     map[string]uuid.UUID // of the topics
	loaded  plan                 // the last one
	lag     lag
	polled  time.Time   // when the last batch was taken
	words   event.Words // of what turns read
	batch   batch       // of what they load: its room is used again
}

// New makes a loader; nothing happens until Run. The connection must be able to run cfg.Inserts statements at once.
func New(cfg Config, db driver.Conn, reg prometheus.Registerer, log *zap.Logger) *Loader {
	m := newMetrics(reg)
	return &Loader{cfg: cfg, db: db, log: log, metrics: m, lag: lag{of: map[string]map[int32]int64{}, gauge: m.lag}}
}

// Run works until ctx is done, then returns nil. After an error the caller starts a new Run, which finishes what was
// planned.
func (l *Loader) Run(ctx context.Context) error {
	if err := l.cfg.Validate(); err != nil {
		return err
	}
	if err := l.identify(ctx); err != nil {
		return kafka.Quiet(ctx, err)
	}
	// Of a former Run: it is found out anew.
	l.settled.take()
	l.ahead.take()
	l.loaded, l.made = nil, make(chan struct{})
	client, err := kgo.NewClient(l.options()...)
	if err != nil {
		return fmt.Errorf("loader: %w", err)
	}
	defer client.CloseAllowingRebalance()
	l.client = client
	close(l.made)
	for ctx.Err() == nil {
		if err := l.turn(ctx); err != nil {
			return kafka.Quiet(ctx, err)
		}
	}
	return nil
}

func (l *Loader) topics() []string {
	return []string{l.cfg.topic(pipelines.TopicEvents), l.cfg.topic(pipelines.TopicFacts), l.cfg.topic(pipelines.TopicDead)}
}

func (l *Loader) options() []kgo.Opt {
	return append(append([]kgo.Opt{}, l.cfg.Kafka...),
		kgo.ConsumerGroup(l.cfg.topic(l.cfg.Group)),
		kgo.ConsumeTopics(l.topics()...),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Markers of transactions take offsets too: without them a drained topic would seem to lag by one for ever.
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		// A plan is for the partitions that are ours until it is done.
		kgo.BlockRebalanceOnPoll(),
		kgo.RebalanceTimeout(l.cfg.RebalanceTimeout),
		kgo.SessionTimeout(l.cfg.SessionTimeout),
		kgo.FetchMaxWait(l.cfg.FetchWait),
		kgo.FetchMaxBytes(int32(l.cfg.MaxBytes)),
		kgo.AdjustFetchOffsetsFn(l.recover),
		kgo.OnPartitionsRevoked(l.lost),
		kgo.OnPartitionsLost(l.lost),
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(1<<16, true, true, nil)),
	)
}

// turn loads one batch. No partition is taken from us while it runs, nor between what was polled and the end of the turn.
func (l *Loader) turn(ctx context.Context) error {
	defer l.client.AllowRebalance()
	if err := l.poll(ctx); err != nil {
		return err
	}
	stop, err := l.loadNext(ctx)
	// Only now: reading may wait for a rebalance, which waits for the batch.
	return errors.Join(err, stop())
}

// loadNext loads what was read, while more is read. That is to be stopped.
func (l *Loader) loadNext(ctx context.Context) (stop func() error, err error) {
	l.busy.Lock()
	defer l.busy.Unlock()
	items := l.ahead.take()
	if len(items) == 0 {
		return func() error { return nil }, l.commitSettled(ctx)
	}
	stop = l.readAhead(ctx)
	return stop, l.loadAll(ctx, items)
}

// loadAll loads items as one batch, or as several where a plan has no room for them.
func (l *Loader) loadAll(ctx context.Context, items []item) error {
	if err := l.commitSettled(ctx); err != nil {
		return err
	}
	for _, p := range planOf(items).parts(maxMetadata) {
		if err := l.commitPlanned(ctx, p); err != nil {
			return err
		}
		if err := l.load(ctx, p, l.loaded, within(items, p), &l.batch); err != nil {
			return err
		}
		l.loaded = p
		if err := l.commitDone(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// load inserts a batch's rows, and buries what cannot be decoded. Loaded is the plan before it, if it is known to be loaded.
// B is used for it.
func (l *Loader) load(ctx context.Context, p, loaded plan, items []item, b *batch) error {
	start := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, l.cfg.PlanTimeout, errStale)
	defer cancel()
	if err := l.note(ctx, p, loaded); err != nil {
		return stale(ctx, err)
	}
	inOrder(items)
	b.reset()
	for i := range items {
		if err := items[i].err; err != nil {
			l.metrics.dead.Inc()
			if err := l.bury(ctx, items[i].record, err); err != nil {
				return fmt.Errorf("loader: dead letter: %w", err)
			}
			continue
		}
		b.add(&items[i])
	}
	if err := l.insertAll(ctx, p.token(), b.tables()); err != nil {
		return stale(ctx, err)
	}
	l.metrics.loaded(items, start)
	return nil
}

// stale says of an error that it came of a plan that was too old, if it did.
func stale(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStale) && !errors.Is(err, errStale) {
		return fmt.Errorf("%w: %w", errStale, err)
	}
	return err
}

// lost lets partitions go once the batch is loaded that may be of them.
func (l *Loader) lost(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
	l.busy.Lock()
	defer l.busy.Unlock()
	l.ahead.forget(partitions)
	l.settled.forget(partitions)
	l.lag.forget(partitions)
}

func (l *Loader) admin() *kadm.Client { return kadm.NewClient(l.client) }
