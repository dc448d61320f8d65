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

// A transaction's coordinator leaves out the markers of partitions that have no leader when they are to be sent, as if these were deleted,
// calls the transaction complete all the same, and never looks at it again: what was written to those partitions is neither committed nor
// aborted, and nobody reads past it. Seen with Apache Kafka 4.3 where the only broker was killed while a transaction ended, and where one
// of several was given up because it got no processor, and was back in a second.

// writeMissing writes the marker to every partition where the transaction is still open.
func (e *Endings) writeMissing(ctx context.Context, admin *kadm.Client, state string, marker kadm.TxnMarkers) (bool, error) {
	open, err := e.openProducers(ctx, admin, marker.ProducerID)
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
	e.log.Warn("the last transaction has ended, but not in every partition: its markers are written again",
		zap.String("transactional_id", e.id), zap.String("state", state), zap.Any("partitions", marker.Topics))
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

// openProducers is what the partitions of the topics and of the group offsets know of a producer. A partition that cannot be asked may hide
// what was written to it: it is asked until it answers, or ctx is done.
func (e *Endings) openProducers(ctx context.Context, admin *kadm.Client, id int64) (found []kadm.DescribedProducer, err error) {
	topics := kadm.TopicsSet{}
	topics.Add(offsetsTopic)
	for _, name := range e.topics {
		topics.Add(name)
	}
	err = persist(ctx, func() (bool, error) {
		found = nil
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
		return err == nil || !passing(err), err
	})
	if err != nil {
		return nil, fmt.Errorf("describe producers: %w", err)
	}
	return found, nil
}

// Endings sees to it that a transaction has ended in every partition before the next one of the same producer writes to any: a marker
// ends all that its producer has open in a partition, so the next transaction's would decide over the last one's records, and
// records that were committed would be aborted or the other way round. It asks the coordinator twice a transaction, and the
// partitions only where one of them has had no leader since the transaction before, or a connection was made since the transaction began to
// end: a coordinator that has crashed answers over a new one.
// It is for one client at a time, whose options have its Hook; its methods are for one goroutine.
type Endings struct {
	id          string
	topics      []string
	wait        time.Duration
	log         *zap.Logger
	connections atomic.Int64
	before      int64
	coordinator int32
	leaders     leaders // when the last transaction had ended everywhere
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

// Mend ends the last transaction under the client's transactional id in every partition of the topics and of the group offsets, and
// reports whether any marker was missing. One that is still open is aborted first, as the next producer under its name would do. How a
// transaction ended the coordinator knows as long as no new one was begun: so this comes before anything is produced. It waits for a
// transaction that is ending, and for partitions without a leader.
func (e *Endings) Mend(ctx context.Context, client *kgo.Client) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, e.wait)
	defer cancel()
	admin := kadm.NewClient(client)
	last, err := lastTransaction(ctx, admin, e.id)
	if err != nil || last == nil {
		return false, err
	}
	marker := markerOf(last)
	if last.State == ongoing {
		_, epoch, err := client.ProducerID(ctx) // answers once the coordinator calls the transaction aborted
		if err != nil {
			return false, fmt.Errorf("abort transaction %s: %w", e.id, err)
		}
		if marker.ProducerEpoch++; epoch > marker.ProducerEpoch {
			marker.ProducerEpoch = epoch
		}
	}
	return e.writeMissing(ctx, admin, last.State, marker)
}

// markerOf ends a transaction as its coordinator says it has ended, in no partition yet.
func markerOf(last *kadm.DescribedTransaction) kadm.TxnMarkers {
	return kadm.TxnMarkers{ProducerID: last.ProducerID, ProducerEpoch: last.ProducerEpoch, Commit: last.State == completeCommit, Topics: kadm.TopicsSet{}}
}

// Ending is to be called before the end of a transaction is asked for.
func (e *Endings) Ending() {
	e.before, e.ending = e.connections.Load(), true
}

// Await is to be called before anything of the next transaction is produced. It says whether markers were missing. After an error
// nothing may be produced under the name before Mend has succeeded.
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
	if last != nil {
		found, whole := e.leadersOf(ctx, client, last.Coordinator)
		if e.connections.Load() != e.before || last.Coordinator != e.coordinator || !whole || !found.ledAsBefore(e.leaders) {
			if mended, err = e.writeMissing(ctx, admin, last.State, markerOf(last)); err != nil {
				return mended, err
			}
		}
		e.coordinator, e.leaders = last.Coordinator, found
	}
	e.ending = false
	return mended, nil
}

// last is the transaction that has ended, as its coordinator knows it. A coordinator that is shutting down may say that it knows of none:
// then the partitions are asked, and it is believed only if nothing is open in any of them. Nil is that.
func (e *Endings) last(ctx context.Context, admin *kadm.Client, client *kgo.Client) (last *kadm.DescribedTransaction, err error) {
	err = persist(ctx, func() (bool, error) {
		var err error
		if last, err = lastTransaction(ctx, admin, e.id); err != nil || last != nil {
			return true, err
		}
		id, _, err := client.ProducerID(ctx)
		if err != nil {
			return true, fmt.Errorf("producer id of %s: %w", e.id, err)
		}
		known, err := e.openProducers(ctx, admin, id)
		if err != nil {
			return true, err
		}
		if slices.ContainsFunc(known, func(p kadm.DescribedProducer) bool { return p.CurrentTxnStartOffset >= 0 }) {
			return false, fmt.Errorf("the coordinator does not know transaction %s, which is open", e.id)
		}
		return true, nil
	})
	return last, err
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
func lastTransaction(ctx context.Context, admin *kadm.Client, id string) (last *kadm.DescribedTransaction, err error) {
	err = persist(ctx, func() (bool, error) {
		all, err := admin.DescribeTransactions(ctx, id)
		t := all[id]
		switch err = errors.Join(err, t.Err); {
		case errors.Is(err, kerr.TransactionalIDNotFound):
			return true, nil
		case err != nil: // a broker that has just started looks for its coordinators
			return !passing(err), fmt.Errorf("describe transaction %s: %w", id, err)
		}
		switch t.State {
		case completeCommit, completeAbort, ongoing, empty:
			last = &t
			return true, nil
		case prepareCommit, prepareAbort, prepareFence:
			return false, fmt.Errorf("the last transaction %s does not end: %s", id, t.State)
		}
		return true, nil // not known
	})
	return last, err
}

// persist tries until it is done, well or not, or ctx is: then the error is of both. It pauses in between, a little longer each time.
func persist(ctx context.Context, try func() (done bool, err error)) error {
	for pause := endingSoonest; ; pause = min(2*pause, endingLatest) {
		done, err := try()
		if done {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
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
