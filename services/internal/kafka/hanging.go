package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// offsetsTopic is Kafka's own, where a transaction's offsets wait for its end as well.
const offsetsTopic = "__consumer_offsets"

// A transaction's coordinator that starts after a crash leaves out the markers of partitions that have no leader yet, calls the
// transaction complete all the same, and never looks at it again: what was written to those partitions is neither committed nor
// aborted, and nobody reads past it. Seen with Apache Kafka 4.3 where the only broker was killed while a transaction ended.

// MendTransaction ends the last transaction under the client's transactional id in every partition of these topics and of the group
// offsets, and reports whether any marker was missing. One that is still open is aborted first, as the next producer under its name
// would do. How a transaction ended the coordinator knows as long as no new one was begun: so this comes before anything is
// produced. It waits up to wait for a transaction that is ending, and for partitions without a leader.
func MendTransaction(ctx context.Context, client *kgo.Client, id string, names []string, wait time.Duration, log *zap.Logger) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	admin := kadm.NewClient(client)
	last, err := lastTransaction(ctx, admin, id)
	if err != nil || last == nil {
		return false, err
	}
	marker := kadm.TxnMarkers{ProducerID: last.ProducerID, ProducerEpoch: last.ProducerEpoch, Commit: last.State == completeCommit, Topics: kadm.TopicsSet{}}
	if last.State == ongoing {
		_, epoch, err := client.ProducerID(ctx) // answers once the coordinator calls the transaction aborted
		if err != nil {
			return false, fmt.Errorf("abort transaction %s: %w", id, err)
		}
		if marker.ProducerEpoch++; epoch > marker.ProducerEpoch {
			marker.ProducerEpoch = epoch
		}
	}
	return writeMissing(ctx, admin, last, marker, names, log)
}

// writeMissing writes the marker to every partition where the transaction is still open.
func writeMissing(ctx context.Context, admin *kadm.Client, last *kadm.DescribedTransaction, marker kadm.TxnMarkers, names []string, log *zap.Logger) (bool, error) {
	open, err := openProducers(ctx, admin, marker.ProducerID, names)
	if err != nil {
		return false, err
	}
	for _, p := range open {
		marker.CoordinatorEpoch = max(marker.CoordinatorEpoch, p.CoordinatorEpoch)
		// The end of a transaction raises the epoch: what is open in an earlier one is of the transaction that has ended.
		if p.CurrentTxnStartOffset >= 0 && p.ProducerEpoch <= marker.ProducerEpoch {
			marker.Topics.Add(p.Topic, p.Partition)
		}
	}
	if len(marker.Topics) == 0 {
		return false, nil
	}
	log.Warn("the last transaction has ended, but not in every partition: its markers are written again",
		zap.String("transactional_id", last.TxnID), zap.String("state", last.State), zap.Any("partitions", marker.Topics))
	written, err := admin.WriteTxnMarkers(ctx, marker)
	if err != nil {
		return false, fmt.Errorf("end a hanging transaction: write its markers: %w (it needs the right to ClusterAction)", err)
	}
	var all []error
	written.EachPartition(func(p kadm.TxnMarkersPartitionResponse) {
		if p.Err != nil {
			all = append(all, fmt.Errorf("end a hanging transaction in %s/%d: %w", p.Topic, p.Partition, p.Err))
		}
	})
	return true, errors.Join(all...)
}

// openProducers is what the partitions of these topics and of the group offsets know of a producer. A partition that cannot be asked
// may hide what was written to it: it is asked until it answers, or ctx is done.
func openProducers(ctx context.Context, admin *kadm.Client, id int64, names []string) ([]kadm.DescribedProducer, error) {
	topics := kadm.TopicsSet{}
	topics.Add(offsetsTopic)
	for _, name := range names {
		topics.Add(name)
	}
	for pause := endingSoonest; ; pause = min(2*pause, endingLatest) {
		var found []kadm.DescribedProducer
		producers, err := admin.DescribeProducers(ctx, topics)
		producers.EachPartition(func(p kadm.DescribedProducersPartition) {
			if p.Err != nil {
				err = errors.Join(err, fmt.Errorf("%s/%d: %w", p.Topic, p.Partition, p.Err))
			}
			for _, a := range p.ActiveProducers {
				if a.ProducerID == id {
					found = append(found, a)
				}
			}
		})
		if err == nil {
			return found, nil
		}
		if !passing(err) {
			return nil, fmt.Errorf("describe producers: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("describe producers: %w", errors.Join(ctx.Err(), err))
		case <-time.After(pause):
		}
	}
}

// Endings sees to it that a transaction has ended in every partition before the next one of the same producer writes to any: a marker
// ends all that its producer has open in a partition, so the next transaction's would decide over the last one's records, and
// records that were committed would be aborted or the other way round. It asks the coordinator once a transaction, and the
// partitions only where a connection was made since the transaction began to end: a coordinator that has crashed answers over a new one.
// It is for one client at a time, whose options have its Hook; its methods are for one goroutine.
type Endings struct {
	id          string
	topics      []string
	wait        time.Duration
	log         *zap.Logger
	connections atomic.Int64
	before      int64
	coordinator int32
	ending      bool
}

// NewEndings is for the producer with a transactional id that writes to these topics. It waits for an end no longer than wait.
func NewEndings(id string, topics []string, wait time.Duration, log *zap.Logger) *Endings {
	return &Endings{id: id, topics: topics, wait: wait, log: log, coordinator: -1}
}

// Hook is to be among the client's options.
func (e *Endings) Hook() kgo.Opt { return kgo.WithHooks(e) }

// OnBrokerConnect counts connections.
func (e *Endings) OnBrokerConnect(kgo.BrokerMetadata, time.Duration, net.Conn, error) {
	e.connections.Add(1)
}

// Ending is to be called before the end of a transaction is asked for.
func (e *Endings) Ending() {
	e.before, e.ending = e.connections.Load(), true
}

// Await is to be called before anything of the next transaction is produced. It says whether markers were missing. After an error
// nothing may be produced under the name before MendTransaction has succeeded.
func (e *Endings) Await(ctx context.Context, client *kgo.Client) (bool, error) {
	if !e.ending {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.wait)
	defer cancel()
	admin := kadm.NewClient(client)
	last, err := e.last(ctx, admin, client)
	if err != nil {
		return false, err
	}
	if last != nil && last.State == ongoing {
		return false, fmt.Errorf("transaction %s is still open after its end", e.id)
	}
	mended := false
	if last != nil && (e.connections.Load() != e.before || last.Coordinator != e.coordinator) {
		marker := kadm.TxnMarkers{ProducerID: last.ProducerID, ProducerEpoch: last.ProducerEpoch, Commit: last.State == completeCommit, Topics: kadm.TopicsSet{}}
		if mended, err = writeMissing(ctx, admin, last, marker, e.topics, e.log); err != nil {
			return mended, err
		}
		e.coordinator = last.Coordinator
	}
	e.ending = false
	return mended, nil
}

// last is the transaction that has ended, as its coordinator knows it. A coordinator that is shutting down may say that it knows of none:
// then the partitions are asked, and it is believed only if nothing is open in any of them. Nil is that.
func (e *Endings) last(ctx context.Context, admin *kadm.Client, client *kgo.Client) (*kadm.DescribedTransaction, error) {
	for pause := endingSoonest; ; pause = min(2*pause, endingLatest) {
		last, err := lastTransaction(ctx, admin, e.id)
		if err != nil || last != nil {
			return last, err
		}
		id, _, err := client.ProducerID(ctx)
		if err != nil {
			return nil, fmt.Errorf("producer id of %s: %w", e.id, err)
		}
		known, err := openProducers(ctx, admin, id, e.topics)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(known, func(p kadm.DescribedProducer) bool { return p.CurrentTxnStartOffset >= 0 }) {
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the coordinator does not know transaction %s, which is open: %w", e.id, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// States of a transaction as its coordinator names them.
const (
	completeCommit = "CompleteCommit"
	completeAbort  = "CompleteAbort"
	prepareCommit  = "PrepareCommit"
	prepareAbort   = "PrepareAbort"
	prepareFence   = "PrepareEpochFence"
	ongoing        = "Ongoing"
	// A producer has begun under the name and written nothing: what is open is of a transaction that this beginning aborted.
	empty = "Empty"
)

// lastTransaction is the one that has ended or is open under a name; nil where there never was one.
func lastTransaction(ctx context.Context, admin *kadm.Client, id string) (*kadm.DescribedTransaction, error) {
	for pause := endingSoonest; ; pause = min(2*pause, endingLatest) {
		all, err := admin.DescribeTransactions(ctx, id)
		t := all[id]
		switch err = errors.Join(err, t.Err); {
		case errors.Is(err, kerr.TransactionalIDNotFound):
			return nil, nil
		case err != nil && !passing(err): // others pass: a broker that has just started looks for its coordinators
			return nil, fmt.Errorf("describe transaction %s: %w", id, err)
		case err == nil && (t.State == completeCommit || t.State == completeAbort || t.State == ongoing || t.State == empty):
			return &t, nil
		case err == nil && t.State != prepareCommit && t.State != prepareAbort && t.State != prepareFence: // not known
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the last transaction %s does not end: %w", id, errors.Join(ctx.Err(), err))
		case <-time.After(pause):
		}
	}
}

// passing is whether asking again may help: the broker is on its way, or in between leaders.
func passing(err error) bool {
	var answered *kerr.Error
	if errors.As(err, &answered) {
		return answered.Retriable
	}
	return !errors.Is(err, kgo.ErrClientClosed)
}

// How often a transaction that ends is looked at: at first, and after a while.
const (
	endingSoonest = time.Millisecond
	endingLatest  = 200 * time.Millisecond
)
