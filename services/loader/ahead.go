package loader

import (
	"context"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ahead is what has been taken for the next batch. Reading goes on while a batch is loaded, so that neither ClickHouse nor this process
// waits for the other; at most one batch is taken ahead.
type ahead struct {
	mu          sync.Mutex
	items       []item
	rows, bytes int
}

func (a *ahead) add(items ...item) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.items = append(a.items, items...)
	for i := range items {
		a.rows += items[i].rows()
		a.bytes += len(items[i].record.Value)
	}
}

func (a *ahead) empty() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.items) == 0
}

// enough is whether there is so much.
func (a *ahead) enough(rows, bytes int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rows >= rows || a.bytes >= bytes
}

// take empties it.
func (a *ahead) take() []item {
	a.mu.Lock()
	defer a.mu.Unlock()
	items := a.items
	a.items, a.rows, a.bytes = nil, 0, 0
	return items
}

// forget drops what is of partitions that are no longer ours: whoever has them now, and be it we again, reads it from where the group stands.
func (a *ahead) forget(lost map[string][]int32) {
	kept := slices.DeleteFunc(a.take(), func(i item) bool { return slices.Contains(lost[i.record.Topic], i.record.Partition) })
	a.add(kept...)
}

// readAhead reads until there is enough for another batch, or until what it returns is called, which tells what it met.
func (l *Loader) readAhead(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- l.readUntil(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

// readUntil reads until there is enough for a batch, or ctx is done and nothing lies ready.
func (l *Loader) readUntil(ctx context.Context) error {
	for !l.ahead.enough(l.cfg.MaxRows, l.cfg.MaxBytes) {
		fetches := l.client.PollRecords(ctx, pollStep)
		if err := l.got(fetches); err != nil {
			return err
		}
		if ctx.Err() != nil && fetches.Empty() {
			break
		}
	}
	return nil
}

// got takes what a poll has brought.
func (l *Loader) got(fetches kgo.Fetches) error {
	if err := fetchError(fetches); err != nil {
		return err
	}
	l.lag.fetched(fetches)
	items := make([]item, 0, fetches.NumRecords())
	fetches.EachRecord(func(r *kgo.Record) { items = append(items, l.decode(r, &l.words)) })
	l.ahead.add(items...)
	return nil
}
