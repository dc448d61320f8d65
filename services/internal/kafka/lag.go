package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Lag is how many records of a topic a group has still to take. Offsets are read before ends, so a lag of zero was
// true at some moment in between: nothing that had been written by then was left.
func Lag(ctx context.Context, client *kgo.Client, group, topic string) (int64, error) {
	admin := kadm.NewClient(client)
	committed, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return 0, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, fmt.Errorf("start of topic %s: %w", topic, err)
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return 0, fmt.Errorf("end of topic %s: %w", topic, err)
	}
	var lag int64
	var bad error
	ends.Each(func(o kadm.ListedOffset) {
		if o.Err != nil {
			bad = fmt.Errorf("end of topic %s: %w", topic, o.Err)
			return
		}
		at := int64(0)
		if s, ok := starts.Lookup(topic, o.Partition); ok {
			at = s.Offset
		}
		if c, ok := committed.Lookup(topic, o.Partition); ok {
			at = max(at, c.At)
		}
		lag += max(0, o.Offset-at)
	})
	return lag, bad
}
