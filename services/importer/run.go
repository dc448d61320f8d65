package importer

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"

	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// run is the import of one file: read by one, mapped by all cores, sent in order by one, settled in order by one.
type run struct {
	*Importer
	src  *body
	key  string // of its progress; empty where there is none to keep
	file File   // settle's, while the pipeline runs
}

// pipeline takes items to Kafka and returns when all are settled, or one cannot be.
func (r *run) pipeline(ctx context.Context, read iter.Seq2[items.Item, error]) error {
	g, within := errgroup.WithContext(ctx)
	work := make(chan *batch, r.cfg.Workers)
	ordered := make(chan *batch, 2*r.cfg.Workers) // those being mapped, and some that wait for their turn
	sent := make(chan *batch, unacked)
	var whole error
	g.Go(func() error {
		defer close(work)
		defer close(ordered)
		var err error
		whole, err = r.read(within, read, work, ordered)
		return err
	})
	for range r.cfg.Workers {
		g.Go(func() error {
			for b := range work {
				b.mapItems(within, r.way, r.topics, r.file.Received, r.now())
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(sent)
		return r.send(within, ordered, sent)
	})
	g.Go(func() error { return r.settle(within, sent) })
	err := g.Wait()
	r.file.Err = whole
	return err
}

// read makes batches. Items that were settled by an earlier run are passed over. Whole is the fault behind which nothing can be read.
func (r *run) read(ctx context.Context, read iter.Seq2[items.Item, error], work, ordered chan<- *batch) (whole, err error) {
	b, skip := newBatch(), r.file.From
	hand := func() bool {
		if len(b.items) == 0 {
			return true
		}
		for _, to := range []chan<- *batch{ordered, work} {
			select {
			case to <- b:
			case <-ctx.Done():
				return false
			}
		}
		b = newBatch()
		return true
	}
	for item, fault := range read {
		if wholeFault(fault) {
			whole = fault
			break
		}
		if skip > 0 {
			if skip--; skip%batchItems == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			continue
		}
		b.add(entry{item, fault})
		if b.full() && !hand() {
			return nil, ctx.Err()
		}
	}
	if !hand() {
		return nil, ctx.Err()
	}
	return whole, nil
}

// send hands the batches' records to Kafka in the order of the file, as many as the stages behind it can take.
func (r *run) send(ctx context.Context, ordered <-chan *batch, sent chan<- *batch) error {
	for b := range ordered {
		select {
		case <-b.mapped:
		case <-ctx.Done():
			return ctx.Err()
		}
		if b.err != nil {
			return fmt.Errorf("import: %w", b.err)
		}
		b.left.Store(int64(len(b.records)) + 1) // one for the end of this loop
		if len(b.records) > 0 {
			if err := r.gate.take(ctx, int64(len(b.records))); err != nil {
				return err
			}
			for _, record := range b.records {
				r.client.Produce(ctx, record, func(_ *kgo.Record, err error) {
					r.gate.answer()
					b.answer(err)
				})
			}
		}
		b.records = nil
		b.answer(nil)
		select {
		case sent <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// settle counts what Kafka has, in order, and writes down how far that is, also while nothing comes because the stages are waited for. It
// goes on though the others were cancelled: what is acknowledged by then is not sent again.
func (r *run) settle(ctx context.Context, sent <-chan *batch) error {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	saved := r.file.Items
	var patience <-chan time.Time
	cancelled := ctx.Done()
	var next *batch // the one whose acknowledgement is waited for
	for {
		var come <-chan *batch
		var acked <-chan struct{}
		if next == nil {
			come = sent
		} else {
			acked = next.acked
		}
		select {
		case b, more := <-come:
			if !more {
				return nil // at the end it is saved anyway
			}
			next = b
		case <-acked:
			if next.failed != nil {
				return fmt.Errorf("import: Kafka did not take a record: %w", next.failed)
			}
			r.file.Add(next.tally)
			r.file.Samples = merge(r.file.Samples, next.samples)
			r.tell(next.tally.Items)
			next = nil
		case <-tick.C:
			if r.key == "" || saved == r.file.Items || ctx.Err() != nil {
				continue
			}
			if err := r.src.changed(); err != nil {
				return err
			}
			if err := r.save(ctx); err != nil {
				return err
			}
			saved = r.file.Items
		case <-cancelled:
			cancelled, patience = nil, time.After(flushPatience)
		case <-patience:
			return fmt.Errorf("import: Kafka did not answer for what was sent: %w", context.Cause(ctx))
		}
	}
}

// tell shows how far it is.
func (r *run) tell(settled int64) {
	s := *r.state.Load()
	s.Read, s.Size, s.Items, s.Rejected, s.Run = r.src.read.Load(), r.src.size, r.file.Items, r.file.Rejected, s.Run+settled
	r.state.Store(&s)
}
