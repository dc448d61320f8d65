package loader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// pollStep is how many records are taken at a time: a batch may be larger than its bounds by what these hold.
const pollStep = 100

// leastLinger is how long a batch that was not read ahead waits for more records that have come already.
const leastLinger = 20 * time.Millisecond

// poll waits until something has come, and a little for more unless there is plenty. A batch begins at most once in Linger: what has
// gathered while the one before was inserted is not kept waiting once more.
func (l *Loader) poll(ctx context.Context) error {
	least := time.Duration(0)
	if l.ahead.empty() {
		first, cancel := context.WithTimeout(ctx, l.cfg.PollTimeout)
		defer cancel()
		if err := l.got(l.client.PollRecords(first, pollStep)); err != nil {
			return err
		}
		if l.ahead.empty() {
			return ctx.Err()
		}
		least = leastLinger
	}
	more, cancel := context.WithTimeout(ctx, max(least, l.cfg.Linger-time.Since(l.polled)))
	defer cancel()
	if err := l.readUntil(more); err != nil {
		return err
	}
	l.polled = time.Now()
	return ctx.Err()
}

// fetchError is what a poll met other than the end of its wait.
func fetchError(fetches kgo.Fetches) error {
	var all error
	fetches.EachError(func(topic string, partition int32, err error) {
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || isLeftBehind(err) {
			return
		}
		if topic != "" {
			err = fmt.Errorf("%s/%d: %w", topic, partition, err)
		}
		all = errors.Join(all, err)
	})
	if all != nil {
		return fmt.Errorf("loader: fetch: %w", all)
	}
	return nil
}

// isLeftBehind says that the group has gone on without this member, which was too slow to be heard. The client joins again by itself, and
// what was begun for partitions that are another's now is refused when it is committed.
func isLeftBehind(err error) bool {
	var session *kgo.ErrGroupSession
	return errors.As(err, &session) && (errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.IllegalGeneration) || errors.Is(err, kerr.RebalanceInProgress))
}
