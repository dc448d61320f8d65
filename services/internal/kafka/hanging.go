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

// MendTransaction writes the markers that are missing of the last transaction under a name, in these topics and in the group
// offsets, and reports whether any were. How that transaction ended the coordinator still knows, as long as no new one was begun:
// so this comes before anything is produced under the name. It waits up to wait for a transaction that is ending.
func MendTransaction(ctx context.Context, client *kgo.Client, id string, names []string, wait time.Duration, log *zap.Logger) (bool, error) {
	admin := kadm.NewClient(client)
	ended, err := lastTransaction(ctx, admin, id, wait)
	if err != nil || ended == nil {
		return false, err
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
	marker := kadm.TxnMarkers{ProducerID: ended.ProducerID, ProducerEpoch: ended.ProducerEpoch, Commit: ended.State == completeCommit, Topics: kadm.TopicsSet{}}
	producers.EachProducer(func(p kadm.DescribedProducer) {
		if p.ProducerID != ended.ProducerID {
			return
		}
		marker.CoordinatorEpoch = max(marker.CoordinatorEpoch, p.CoordinatorEpoch)
		// The end of a transaction raises the epoch: what is open in an earlier one is of the transaction that has ended.
		if p.CurrentTxnStartOffset >= 0 && p.ProducerEpoch <= ended.ProducerEpoch {
			marker.Topics.Add(p.Topic, p.Partition)
		}
	})
	if len(marker.Topics) == 0 {
		return false, nil
	}
	log.Warn("the last transaction has ended, but not in every partition: its markers are written again",
		zap.String("transactional_id", id), zap.String("end", ended.State), zap.Any("partitions", marker.Topics))
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
)

// lastTransaction is the one that has ended under a name; nil where there is none, or one is open, which the next start of a
// producer under that name aborts.
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
		case t.State == completeCommit, t.State == completeAbort:
			return &t, nil
		case err == nil && t.State != prepareCommit && t.State != prepareAbort: // not known, empty, or open
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
