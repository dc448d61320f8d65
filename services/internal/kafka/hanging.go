package kafka

import (
	"context"
	"errors"
	"fmt"
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
// produced. It waits up to wait for a transaction that is ending.
func MendTransaction(ctx context.Context, client *kgo.Client, id string, names []string, wait time.Duration, log *zap.Logger) (bool, error) {
	admin := kadm.NewClient(client)
	last, err := lastTransaction(ctx, admin, id, wait)
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
	topics := kadm.TopicsSet{}
	topics.Add(offsetsTopic)
	for _, name := range names {
		topics.Add(name)
	}
	producers, err := admin.DescribeProducers(ctx, topics)
	if err != nil {
		return false, fmt.Errorf("describe producers: %w", err)
	}
	producers.EachProducer(func(p kadm.DescribedProducer) {
		if p.ProducerID != marker.ProducerID {
			return
		}
		marker.CoordinatorEpoch = max(marker.CoordinatorEpoch, p.CoordinatorEpoch)
		// The end of a transaction raises the epoch: what is open in an earlier one is of the transaction that has ended.
		if p.CurrentTxnStartOffset >= 0 && p.ProducerEpoch <= marker.ProducerEpoch {
			marker.Topics.Add(p.Topic, p.Partition)
		}
	})
	if len(marker.Topics) == 0 {
		return false, nil
	}
	log.Warn("the last transaction has ended, but not in every partition: its markers are written again",
		zap.String("transactional_id", id), zap.String("state", last.State), zap.Any("partitions", marker.Topics))
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

// States of a transaction as its coordinator names them.
const (
	completeCommit = "CompleteCommit"
	completeAbort  = "CompleteAbort"
	prepareCommit  = "PrepareCommit"
	prepareAbort   = "PrepareAbort"
	ongoing        = "Ongoing"
	// A producer has begun under the name and written nothing: what is open is of a transaction that this beginning aborted.
	empty = "Empty"
)

// lastTransaction is the one that has ended or is open under a name; nil where there never was one.
func lastTransaction(ctx context.Context, admin *kadm.Client, id string, wait time.Duration) (*kadm.DescribedTransaction, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		all, err := admin.DescribeTransactions(ctx, id)
		t := all[id]
		switch err = errors.Join(err, t.Err); {
		case errors.Is(err, kerr.TransactionalIDNotFound):
			return nil, nil
		case err != nil && !kerr.IsRetriable(err): // others pass: a broker that has just started looks for its coordinators
			return nil, fmt.Errorf("describe transaction %s: %w", id, err)
		case err == nil && (t.State == completeCommit || t.State == completeAbort || t.State == ongoing || t.State == empty):
			return &t, nil
		case err == nil && t.State != prepareCommit && t.State != prepareAbort: // not known
			return nil, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the last transaction %s does not end: %w", id, errors.Join(ctx.Err(), err))
		case <-time.After(endingEvery):
		}
	}
}

// endingEvery is how often a transaction that ends is looked at.
const endingEvery = 200 * time.Millisecond
