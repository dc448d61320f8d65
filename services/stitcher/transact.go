package stitcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// batch is what one partition has to do in a transaction, and what came of it.
type batch struct {
	partition *held
	events    []*kgo.Record
	messages  []*kgo.Record
	out       []*kgo.Record // in the order to be produced
	changes   []state.Record
	tally     tally
	read      state.Read // how far the inputs are worked off with it
}

// sort groups what was fetched by partition, each of which may be there more than once. A partition whose restoring changed facts has
// work without any record.
func (s *Stitcher) sort(fetches kgo.Fetches) []*batch {
	byID := map[int32]*batch{}
	of := func(id int32) *batch {
		b := byID[id]
		if b == nil {
			b = &batch{partition: s.partitions[id]}
			byID[id] = b
		}
		return b
	}
	for id, p := range s.partitions {
		if p.pending {
			of(id)
		}
	}
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if len(f.Records) == 0 {
			return
		}
		// A batch of which nothing is left is one all the same: its offsets are to be committed.
		b := of(f.Partition)
		if b.partition == nil { // taken away since the poll: the transaction aborts
			return
		}
		if f.Topic == s.cfg.topic(pipelines.TopicEvents) {
			b.events = append(b.events, s.unread(b.partition, f, b.partition.read.Events)...)
		} else {
			b.messages = append(b.messages, s.unread(b.partition, f, b.partition.read.Messages)...)
		}
	})
	work := make([]*batch, 0, len(byID))
	for _, b := range byID {
		work = append(work, b)
	}
	return work
}

// transact does the work of all partitions in one transaction.
func (s *Stitcher) transact(ctx context.Context, work []*batch) (err error) {
	start := time.Now()
	if err := s.session.Begin(); err != nil {
		return fmt.Errorf("stitcher: begin: %w", err)
	}
	// Ending is not to be cut short: an outcome that nobody waited for would have to be found out by restoring everything. And a record that
	// is refused because we were told to stop would be missing in it.
	whole, cancel := lasting(ctx, s.cfg.StopTimeout)
	defer cancel()
	out := s.newSender(ctx, whole, len(work))
	failure := s.work(ctx, work, start, out)
	worked := s.metrics.phase("work", start)
	if err := out.finish(); err != nil { // nothing was produced, and the outcome of the former one stands: it is looked into by the next Run
		return fmt.Errorf("stitcher: transaction: %w", err)
	}
	saved := s.store.NewBatch(room(work))
	defer func() { err = errors.Join(err, saved.Drop()) }()
	if failure == nil {
		failure = fill(saved, work) // while the broker writes
	}
	if failure == nil {
		failure = s.session.Client().Flush(whole) // what the broker has refused is known then: what would be committed would be a part
	}
	s.endings.Ending()
	committed, err := s.session.End(whole, kgo.TransactionEndTry(failure == nil && out.failure() == nil))
	ended := s.metrics.phase("commit", worked)
	if errors.Is(failure, errNotOwned) {
		failure = nil
	}
	if err := errors.Join(failure, err, out.failure()); err != nil {
		s.metrics.transactions.WithLabelValues("failed").Inc()
		s.forgetAll() // in memory may be what was never committed
		if whole.Err() != nil {
			err = fmt.Errorf("%w (%v): %v", errStopped, s.cfg.StopTimeout, err) //nolint:errorlint // that a context ended is not what it is
		}
		return fmt.Errorf("stitcher: transaction: %w", err)
	}
	if !committed {
		s.metrics.transactions.WithLabelValues("aborted").Inc()
		s.log.Info("transaction aborted by a rebalance: it will be done again")
		for _, b := range work {
			if b.partition == nil {
				continue
			}
			b.partition.Rollback()
			if b.partition.pending { // what restoring had to post is undone with it: restore again
				_ = b.partition.store.Refresh()
				delete(s.partitions, b.partition.id)
			}
		}
		return nil
	}
	s.metrics.transactions.WithLabelValues("committed").Inc()
	s.metrics.seconds.Observe(time.Since(start).Seconds())
	s.pace(time.Since(start))
	// Both at once: what is at hand becomes final in memory while the store takes it; neither is read until both are done.
	var final errgroup.Group
	final.Go(func() error { return s.save(saved, work) })
	final.Go(func() error {
		for _, b := range work {
			s.tell(b.partition.Large())
			if err := b.partition.Commit(s.cfg.CacheBytes / len(s.partitions)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := final.Wait(); err != nil {
		s.forgetAll()
		return fmt.Errorf("stitcher: %w", err)
	}
	for _, b := range work {
		b.partition.pending, b.partition.read = false, b.read
		s.metrics.count(&b.tally)
	}
	s.metrics.phase("save", ended)
	s.lighten()
	s.measure()
	return nil
}

// errStopped is met when whoever stopped us did so while Kafka was away.
var errStopped = errors.New("told to stop, and the transaction did not end in time: the next start does it again or finds it done")

// lasting ends so long after ctx does.
func lasting(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-longer.Done():
		case <-time.After(grace):
			cancel()
		}
	})
	return longer, func() { stop(); cancel() }
}

// lighten keeps the people that are slow to read within their bound, those that were used last.
func (s *Stitcher) lighten() {
	for {
		total, oldest, of := 0, int64(0), (*held)(nil)
		for _, p := range s.partitions {
			n, last := p.Heavy()
			if n > 0 && (of == nil || last < oldest) {
				oldest, of = last, p
			}
			total += n
		}
		if total <= s.cfg.HeavyBytes {
			return
		}
		of.Lighten(oldest)
	}
}

// tell counts people with too many nodes, and logs each once.
func (s *Stitcher) tell(large []LargePerson) {
	for _, l := range large {
		s.metrics.large.WithLabelValues(l.Workspace).Inc()
		s.log.Warn("a person has more identifiers than people have: a shared device, a bot, or a value that everybody is given; its numbers stay exact",
			zap.String("workspace", l.Workspace), zap.Stringer("person", uuid.UUID(l.Person)), zap.Int("identifiers", l.Nodes),
			zap.Int("max_person_nodes", s.cfg.MaxPersonNodes))
	}
}

// measure says what the state takes.
func (s *Stitcher) measure() {
	n := 0
	for _, p := range s.partitions {
		n += p.Bytes()
	}
	s.metrics.stateMemory.Set(float64(n))
	if time.Since(s.measured) > measureEvery {
		s.measured = time.Now()
		s.metrics.stateDisk.Set(float64(s.store.DiskBytes()))
		s.metrics.stateFilter.Set(float64(s.store.FilterBytes()))
		s.metrics.stateRecent.Set(float64(s.store.RecentBytes()))
	}
}

// measureEvery is how often the disk is asked.
const measureEvery = 5 * time.Second

// work lets partitions work side by side; they share nothing. What comes of one is sent while others work.
func (s *Stitcher) work(ctx context.Context, work []*batch, now time.Time, out *sender) error {
	if slices.ContainsFunc(work, func(b *batch) bool { return b.partition == nil }) {
		// The group took it away between the poll and now: the end of this transaction will say so.
		return errNotOwned
	}
	var g errgroup.Group
	g.SetLimit(s.cfg.Workers)
	for _, b := range work {
		g.Go(func() error {
			if err := s.workOne(ctx, b, now.UnixMilli()); err != nil {
				return err
			}
			out.ready <- b
			return nil
		})
	}
	return g.Wait()
}

// errNotOwned is met when records came of a partition that was taken away meanwhile: the transaction aborts.
var errNotOwned = errors.New("records of a partition that is not held")

// settleOwnership restores what has become ours and forgets what has not stayed.
func (s *Stitcher) settleOwnership(ctx context.Context) error {
	now := s.ownership.now()
	for id, p := range s.partitions {
		if now[id] != p.since {
			if err := p.store.Refresh(); err != nil {
				return fmt.Errorf("stitcher: let go of partition %d: %w", id, err)
			}
			s.store.Forget(id)
			delete(s.partitions, id)
		}
	}
	var missing []int32
	for id := range now {
		if s.partitions[id] == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		start := time.Now()
		n, err := s.restore(ctx, missing, now)
		if err != nil {
			return fmt.Errorf("stitcher: restore partitions %v: %w", missing, err)
		}
		s.log.Info("partitions restored", zap.Int32s("partitions", missing), zap.Int("records", n), zap.Duration("took", time.Since(start)))
	}
	s.metrics.partitions.Set(float64(len(s.partitions)))
	return nil
}

// forgetAll drops what is at hand. What its readers say when they are closed was said by what they read.
func (s *Stitcher) forgetAll() {
	for _, p := range s.partitions {
		_ = p.store.Refresh()
	}
	clear(s.partitions)
}
