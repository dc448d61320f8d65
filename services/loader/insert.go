package loader

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
)

// Pauses between tries of an insert.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
)

// insertAll inserts into every table that has rows. Each insert is one block under one token; which of them a crash lets
// through does not matter, since all are repeated.
func (l *Loader) insertAll(ctx context.Context, token string, tables []table) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.cfg.Inserts)
	for _, t := range tables {
		g.Go(func() error { return l.insertWithRetries(ctx, token, t) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return l.cfg.trace("inserted")
}

func (l *Loader) insertWithRetries(ctx context.Context, token string, t table) error {
	err := l.withRetries(ctx, func() error {
		if err := l.insert(ctx, token, t); err != nil {
			return fmt.Errorf("loader: insert %d rows into %s: %w", t.rows(), t.name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.metrics.rows.WithLabelValues(t.name).Add(float64(t.rows()))
	return l.cfg.trace("inserted " + t.name)
}

// withRetries asks ClickHouse again where the error is one that passes.
func (l *Loader) withRetries(ctx context.Context, do func() error) error {
	pause := firstPause
	for try := 0; ; try++ {
		err := do()
		if err == nil {
			return nil
		}
		kind := sortError(err)
		if ctx.Err() != nil || kind == stop || try >= l.cfg.Retries {
			return err
		}
		l.metrics.retries.Inc()
		l.log.Warn("ClickHouse: trying again", zap.Error(err), zap.Bool("expected", kind == retry), zap.Duration("in", pause))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, lastPause)
	}
}

func (l *Loader) insert(ctx context.Context, token string, t table) error {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"insert_deduplicate":                                 1,
		"insert_deduplication_token":                         token + " " + t.name,
		"deduplicate_blocks_in_dependent_materialized_views": 1,
		// One insert is one block here and behind the views: a token is for a block.
		"max_insert_block_size":       10_000_000,
		"min_insert_block_size_rows":  10_000_000,
		"min_insert_block_size_bytes": 2 << 30,
		"max_insert_threads":          1,
		"parallel_view_processing":    0,
		"async_insert":                0,
		// What views fill is summed by their queries already.
		"optimize_on_insert": 0,
	}))
	batch, err := l.db.PrepareBatch(ctx, "INSERT INTO "+schema.Database+"."+t.name+" ("+strings.Join(names, ", ")+")")
	if err != nil {
		return err
	}
	defer batch.Close()
	for i, to := range batch.Columns() {
		c := t.columns[i]
		values := c.values
		if words, ok := values.([]string); ok && strings.HasPrefix(string(to.Type()), "LowCardinality(") {
			values = boxed(words)
		}
		if err := batch.Column(i).Append(values); err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	// A process that was stopped in between must not send: the context's own timer may not have had its turn yet.
	if deadline, ok := ctx.Deadline(); ok && time.Now().Round(0).After(deadline.Round(0)) {
		return errStale
	}
	return batch.Send()
}

// boxed is words of which there are few as the driver looks at them, one by one: each is made but once.
func boxed(words []string) []any {
	known := map[string]any{}
	out := make([]any, len(words))
	for i, w := range words {
		if i > 0 && w == words[i-1] {
			out[i] = out[i-1]
			continue
		}
		box, ok := known[w]
		if !ok {
			box = w
			known[w] = box
		}
		out[i] = box
	}
	return out
}
