// Package loader writes what Kafka holds, raw events and postings, into ClickHouse.
//
// Exactly once, without a transaction over both: what a batch consists of (its plan) is committed to Kafka before it
// is inserted, and after a crash the very same batch is inserted again, under the same deduplication tokens, which
// ClickHouse recognises in the tables and in what their views fill. A record that cannot be decoded goes to the dead
// letters before its batch is committed: never lost, though a crash can repeat it there. A batch that is running when Run's
// context ends is left to the next start.
package loader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
)

// Loader is one process's share of the partitions.
type Loader struct {
	cfg     Config
	db      driver.Conn
	log     *zap.Logger
	metrics *metrics
	client  *kgo.Client
}

// New makes a loader; nothing happens until Run. The connection must be able to run cfg.Inserts statements at once.
func New(cfg Config, db driver.Conn, reg prometheus.Registerer, log *zap.Logger) *Loader {
	return &Loader{cfg: cfg, db: db, log: log, metrics: newMetrics(reg)}
}

// Run works until ctx is done, then returns nil. After an error the caller starts a new Run, which finishes what was
// planned.
func (l *Loader) Run(ctx context.Context) error {
	if err := l.cfg.Validate(); err != nil {
		return err
	}
	client, err := kgo.NewClient(l.options()...)
	if err != nil {
		return fmt.Errorf("loader: %w", err)
	}
	l.client = client
	defer client.CloseAllowingRebalance()
	for ctx.Err() == nil {
		if err := l.turn(ctx); err != nil {
			if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, kgo.ErrClientClosed)) {
				return nil
			}
			return err
		}
	}
	return nil
}

func (l *Loader) topics() []string {
	return []string{l.cfg.topic(pipelines.TopicEvents), l.cfg.topic(pipelines.TopicFacts)}
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
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(1<<16, true, true, nil)),
	)
}

// turn loads one batch.
func (l *Loader) turn(ctx context.Context) error {
	records, err := l.poll(ctx)
	defer l.client.AllowRebalance()
	if err != nil || len(records) == 0 {
		return err
	}
	plan := planOf(records)
	if err := l.commit(ctx, plan, planned); err != nil {
		return fmt.Errorf("loader: commit the plan: %w", err)
	}
	if err := l.load(ctx, plan, records); err != nil {
		return err
	}
	if err := l.commit(ctx, plan, done); err != nil {
		return fmt.Errorf("loader: commit what was loaded: %w", err)
	}
	return nil
}

// poll takes what has come, and waits a little for more unless there is plenty.
func (l *Loader) poll(ctx context.Context) ([]*kgo.Record, error) {
	var records []*kgo.Record
	bytes := 0
	wait, cancel := context.WithTimeout(ctx, l.cfg.PollTimeout)
	defer cancel()
	for len(records) < l.cfg.MaxRecords && bytes < l.cfg.MaxBytes {
		fetches := l.client.PollRecords(wait, l.cfg.MaxRecords-len(records))
		var failure error
		fetches.EachError(func(topic string, partition int32, err error) {
			if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
				failure = fmt.Errorf("loader: fetch %s/%d: %w", topic, partition, err)
			}
		})
		if failure != nil {
			return nil, failure
		}
		if wait.Err() != nil && fetches.Empty() {
			break
		}
		if len(records) == 0 {
			linger, cancel := context.WithTimeout(ctx, l.cfg.Linger)
			defer cancel()
			wait = linger
		}
		fetches.EachRecord(func(r *kgo.Record) {
			records = append(records, r)
			bytes += len(r.Value)
		})
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return records, nil
}

// load inserts a batch's rows, and buries what cannot be decoded.
func (l *Loader) load(ctx context.Context, p plan, records []*kgo.Record) error {
	start := time.Now()
	b := newBatch()
	for _, r := range inOrder(records) {
		if err := b.add(r, l.cfg.topic(pipelines.TopicEvents)); err != nil {
			l.metrics.dead.Inc()
			if err := l.bury(ctx, r, err); err != nil {
				return fmt.Errorf("loader: dead letter: %w", err)
			}
		}
	}
	if err := l.insertAll(ctx, p.token(), b.tables()); err != nil {
		return err
	}
	l.metrics.batches.Inc()
	l.metrics.records.Add(float64(len(records)))
	l.metrics.seconds.Observe(time.Since(start).Seconds())
	return nil
}

func (l *Loader) admin() *kadm.Client { return kadm.NewClient(l.client) }
