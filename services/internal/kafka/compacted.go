package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadAll reads what is committed in these partitions of a topic (all, if none is named), from their beginnings up to where their ends
// were, which it gives. It is for a log that fits into memory: a compacted one.
func ReadAll(ctx context.Context, connect []kgo.Opt, topic string, do func(*kgo.Record) error, only ...int32) (map[int32]int64, error) {
	// The last record of a partition may be a transaction's marker: it tells that the end is reached.
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, connect...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	listed, err := kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("list the ends of %s: %w", topic, err)
	}
	ends, left, from := map[int32]int64{}, map[int32]int64{}, map[int32]kgo.Offset{}
	listed.Each(func(o kadm.ListedOffset) {
		if len(only) > 0 && !slices.Contains(only, o.Partition) {
			return
		}
		if ends[o.Partition] = o.Offset; o.Offset > 0 {
			left[o.Partition], from[o.Partition] = o.Offset, kgo.NewOffset().AtStart()
		}
	})
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := errors.Join(ctx.Err(), fetches.Err()); err != nil {
			return nil, fmt.Errorf("read %s: %w", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if err == nil && !r.Attrs.IsControl() {
				err = do(r)
			}
			if end, ok := left[r.Partition]; ok && r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return ends, nil
}
