package stitcher

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// sender produces what has come of a transaction's partitions, in the order in which they are done, once the transaction before has
// ended everywhere: until then nothing may be produced.
type sender struct {
	ready chan *batch // with room for all
	done  chan struct{}
	ended error // that the transaction before has not ended, or it is not known

	mu    sync.Mutex
	first error
}

// newSender starts a sender of so many batches at most; what it has begun to send lasts as long as whole.
func (s *Stitcher) newSender(ctx, whole context.Context, batches int) *sender {
	out := &sender{ready: make(chan *batch, batches), done: make(chan struct{})}
	go func() {
		defer close(out.done)
		// While the first partitions are worked on.
		var mended bool
		if mended, out.ended = s.endings.Await(ctx, s.session.Client()); mended {
			s.metrics.mended.Inc()
		}
		promise := out.promise
		for b := range out.ready {
			if out.ended != nil {
				continue
			}
			for _, r := range b.out {
				s.session.Produce(whole, r, promise)
			}
		}
	}()
	return out
}

// finish waits until all is handed to the producer. After an error nothing was.
func (out *sender) finish() error {
	close(out.ready)
	<-out.done
	return out.ended
}

func (out *sender) promise(_ *kgo.Record, err error) {
	if err == nil {
		return
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.first == nil {
		out.first = err
	}
}

// failure is the first that producing met.
func (out *sender) failure() error {
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.first != nil && !errors.Is(out.first, kgo.ErrAborting) {
		return fmt.Errorf("produce: %w", out.first)
	}
	return nil
}
