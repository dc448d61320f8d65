// Package stitcher turns events into facts: it keeps who is who and each person's journey, and posts what every
// event changes.
//
// Exactly once: what an event changes (postings, messages to other partitions, changelog, offsets) is one Kafka
// transaction. A crash, a rebalance or a broker that goes away aborts it whole, and it is done again from the state as it was
// committed; nothing is lost and nothing stands twice for a reader of committed records. What cannot be handled at all
// goes to the dead letters in that same transaction. Whoever cancels Run gets it back after the running transaction.
package stitcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/internal/kafka"
	"github.com/throughline-io/throughline/services/stitcher/journey"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// Stitcher is one process's share of the partitions.
type Stitcher struct {
	cfg     Config
	rules   map[string]Rules
	read    func(config []byte) (*journey.Rules, error)
	log     *zap.Logger
	metrics *metrics

	session    *kgo.GroupTransactSession
	endings    *kafka.Endings
	of         int32             // partitions of the tied topics
	ids        map[string]string // of the topics that are tied, by name
	store      *state.Store
	ownership  ownership
	partitions map[int32]*held
	measured   time.Time
	began      time.Time // the last transaction
	took       int       // its events
	take       int       // records of the next transaction
}

// held is a partition's state and the ownership that it was restored under.
type held struct {
	*Partition
	since uint64
	// pending: restoring it left something to post, as the configuration has changed, and that is not committed yet.
	pending bool
	scratch scratch
	decoder event.Decoder
	// next is where in the changelog the store stands; 0 where it is not known.
	next int64
	// read is how far its inputs are worked off; told, that some of it has come again.
	read state.Read
	told bool
}

// New makes a stitcher; nothing happens until Run. Read makes rules of a former configuration that the changelog
// kept.
func New(cfg Config, rules map[string]Rules, read func([]byte) (*journey.Rules, error), reg prometheus.Registerer, log *zap.Logger) *Stitcher {
	return &Stitcher{
		cfg: cfg, rules: rules, read: read, log: log, metrics: newMetrics(reg), partitions: map[int32]*held{},
		ownership: ownership{since: map[int32]uint64{}},
	}
}

// Run works until ctx is done, then returns nil. Any error means that the outcome of a transaction may be unknown:
// the caller starts a new Run, which restores from what was committed.
func (s *Stitcher) Run(ctx context.Context) (err error) {
	if err := s.cfg.Validate(); err != nil {
		return err
	}
	options := s.cfg.State
	options.Logf = s.log.Sugar().Warnf
	if s.store, err = state.Open(s.cfg.StateDir, options); err != nil {
		return fmt.Errorf("stitcher: %w", err)
	}
	defer func() {
		stamped := s.stamp()
		s.forgetAll()
		if ended := errors.Join(stamped, s.store.Close()); err == nil && ended != nil {
			err = fmt.Errorf("stitcher: close the state: %w", ended)
		}
	}()
	s.endings = kafka.NewEndings(s.cfg.TransactionalID, s.written(), s.cfg.TransactionTimeout, s.log)
	session, err := kgo.NewGroupTransactSession(append(s.options(), s.endings.Hook())...)
	if err != nil {
		return fmt.Errorf("stitcher: %w", err)
	}
	s.session, s.take = session, s.cfg.MaxRecords
	s.forgetAll() // of a former Run: what was in memory may never have been committed
	s.ownership.lost()
	defer session.CloseAllowingRebalance()
	if s.of, err = s.countPartitions(ctx); err != nil {
		return kafka.Quiet(ctx, err)
	}
	if err = s.mend(ctx); err != nil {
		return kafka.Quiet(ctx, fmt.Errorf("stitcher: %w", err))
	}
	for ctx.Err() == nil {
		if err := s.turn(ctx); err != nil {
			return kafka.Quiet(ctx, err)
		}
	}
	return nil
}

func (s *Stitcher) options() []kgo.Opt {
	topic := s.cfg.topic
	return append(append([]kgo.Opt{}, s.cfg.Kafka...),
		kgo.TransactionalID(s.cfg.TransactionalID),
		kgo.TransactionTimeout(s.cfg.TransactionTimeout),
		kgo.ConsumerGroup(topic(s.cfg.Group)),
		// The same name at every start: a process that was killed comes back to its partitions at once, without the group waiting
		// for its former life to time out.
		kgo.InstanceID(s.cfg.TransactionalID),
		kgo.ConsumeTopics(topic(pipelines.TopicEvents), topic(pipelines.TopicMessages)),
		// Range gives a member the same partition numbers of both topics, since both have the same number and every member
		// subscribes to both: a node's events and its messages meet.
		kgo.Balancers(kgo.RangeBalancer()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		// Markers of transactions take offsets too: without them a drained topic would seem to lag by one for ever.
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(s.cfg.SessionTimeout),
		kgo.FetchMaxWait(s.cfg.FetchWait),
		// So that a batch is of many partitions, which are worked on side by side, and not all of one.
		kgo.FetchMaxPartitionBytes(fetchPartitionBytes),
		// A partition that answers with an error is tried again once its leader was looked up: soon, for the transaction waits.
		kgo.MetadataMinAge(leaderPause),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		// A third of the processor time of lz4, for a little more to send.
		kgo.ProducerBatchCompression(kgo.SnappyCompression()),
		kgo.ProducerLinger(0),
		kgo.ProducerBatchMaxBytes(maxRecordBytes),
		kgo.MaxBufferedRecords(maxBufferedRecords),
		kgo.OnPartitionsAssigned(func(_ context.Context, c *kgo.Client, m map[string][]int32) {
			_, generation := c.GroupMetadata()
			s.ownership.assigned(generation, m[topic(pipelines.TopicEvents)])
		}),
		kgo.OnPartitionsLost(func(context.Context, *kgo.Client, map[string][]int32) { s.ownership.lost() }),
		// Without this, losing would be told as revoking; and a revoked partition may come back with nobody in between.
		kgo.OnPartitionsRevoked(func(context.Context, *kgo.Client, map[string][]int32) {}),
	)
}

// countPartitions reads how many partitions the tied topics have; they must agree.
func (s *Stitcher) countPartitions(ctx context.Context) (int32, error) {
	var n int32
	s.ids = map[string]string{}
	for _, t := range pipelines.Topics {
		if !t.Tied {
			continue
		}
		name := s.cfg.topic(t.Name)
		m, err := kadm.NewClient(s.session.Client()).ListTopics(ctx, name)
		if err != nil {
			return 0, fmt.Errorf("stitcher: list topic %s: %w", name, err)
		}
		got := int32(len(m[name].Partitions))
		if err := m[name].Err; err != nil {
			return 0, fmt.Errorf("stitcher: topic %s: %w (create it with `throughline migrate`)", name, err)
		}
		if n != 0 && got != n {
			return 0, fmt.Errorf("stitcher: topic %s has %d partitions, another tied to it has %d: they must have the same", name, got, n)
		}
		n = got
		id := m[name].ID
		s.ids[name] = id.String()
	}
	return n, nil
}

// stateID is the id of the changelog's topic.
func (s *Stitcher) stateID() string { return s.ids[s.cfg.topic(pipelines.TopicState)] }

// turn takes what has come, if anything, and commits what follows from it.
func (s *Stitcher) turn(ctx context.Context) error {
	began := time.Now()
	poll, cancel := context.WithTimeout(ctx, s.cfg.PollTimeout)
	fetches := s.session.PollRecords(poll, s.take)
	cancel()
	// What lay ready was fetched when the last transaction began: what has come since then is one question away. And a transaction costs as
	// much as hundreds of events: few of them wait for more, where more is to be expected.
	n, wait := fetches.NumRecords(), freshWait
	if n < plenty && s.took >= few {
		wait = max(freshWait, s.cfg.Linger-time.Since(s.began))
	}
	more, cancel := context.WithTimeout(ctx, wait)
	for n > 0 && n < s.take && more.Err() == nil && fetches.Err() == nil {
		fetches = append(fetches, s.session.PollRecords(more, s.take-n)...)
		if n = fetches.NumRecords(); n >= plenty {
			break
		}
	}
	cancel()
	s.began, s.took = time.Now(), 0
	s.metrics.phase("wait", began)
	if err := s.fetchErrors(ctx, fetches); err != nil {
		return err
	}
	if err := s.settleOwnership(ctx); err != nil {
		return err
	}
	work := s.sort(fetches)
	if len(work) == 0 {
		return nil
	}
	for _, b := range work {
		s.took += len(b.events)
	}
	return s.transact(ctx, work)
}

// fetchErrors tells of errors of polling that the client does not get over by itself.
func (s *Stitcher) fetchErrors(ctx context.Context, fetches kgo.Fetches) error {
	var all []error
	fetches.EachError(func(topic string, partition int32, err error) {
		switch {
		case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded): // nothing came in PollTimeout
		default:
			all = append(all, fmt.Errorf("stitcher: fetch %s/%d: %w", topic, partition, err))
		}
	})
	return errors.Join(all...)
}

// pace takes less where a transaction has taken long: events that move many conversions cost far more than others, and a transaction must
// end long before its time-out.
func (s *Stitcher) pace(took time.Duration) {
	switch {
	case took > longTransaction:
		s.take = max(1, s.take/4)
	case took < longTransaction/4:
		s.take = min(s.cfg.MaxRecords, 2*s.take)
	}
}

// longTransaction is how long one should take at most.
const longTransaction = 2 * time.Second

const (
	// freshWait bounds the wait for what has come while the last transaction ran.
	freshWait = 5 * time.Millisecond
	// plenty is how many records need not wait for more; few, how many events the transaction before must have had for any to wait. Messages
	// from partition to partition do not count: they follow from our own transactions, so none comes while nothing is done.
	plenty              = 1_000
	few                 = 100
	fetchPartitionBytes = 256 << 10
	leaderPause         = 100 * time.Millisecond
)

// PollTimeout bounds how late a change of ownership is noticed while nothing comes.
const defaultPollTimeout = 250 * time.Millisecond

// mend ends what a former life's last transaction left open, before anything is produced under its name.
func (s *Stitcher) mend(ctx context.Context) error {
	mended, err := s.endings.Mend(ctx, s.session.Client())
	if mended {
		s.metrics.mended.Inc()
	}
	return err
}

// written is the topics that transactions may write to.
func (s *Stitcher) written() []string {
	var topics []string
	for _, t := range pipelines.Topics {
		topics = append(topics, s.cfg.topic(t.Name))
	}
	return topics
}
