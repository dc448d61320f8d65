package puller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// readTimeout bounds the reading of the state: it has a few records an account, and those that wait.
const readTimeout = time.Minute

// readState reads what is committed of the state up to its end: of one partition, or of all where it is negative. It says where the
// partition's end was.
func readState(ctx context.Context, connect []kgo.Opt, topic string, only int32) (*State, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	// The last record of a partition may be a transaction's marker: it tells that the end is reached.
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, connect...), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())...)
	if err != nil {
		return nil, 0, fmt.Errorf("puller: %w", err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("puller: list the ends of %s: %w", topic, err)
	}
	left, from := map[int32]int64{}, map[int32]kgo.Offset{}
	var end int64
	ends.Each(func(o kadm.ListedOffset) {
		if only >= 0 && o.Partition != only {
			return
		}
		if end = o.Offset; o.Offset > 0 {
			left[o.Partition], from[o.Partition] = o.Offset, kgo.NewOffset().AtStart()
		}
	})
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	s := newState()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := errors.Join(ctx.Err(), fetches.Err()); err != nil {
			return nil, 0, fmt.Errorf("puller: read %s: %w", topic, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if err == nil && !r.Attrs.IsControl() {
				err = s.take(r)
			}
			if end, ok := left[r.Partition]; ok && r.Offset+1 >= end {
				delete(left, r.Partition)
			}
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return s, end, nil
}
