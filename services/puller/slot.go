package puller

import (
	"context"
	"time"
)

// slot is a pull's right to run among others. It is given up while the pull waits for its vendor: a report that takes an hour holds
// nobody up.
type slot struct {
	slots slots
	held  bool
}

// patience is how long is waited without giving the slot up.
const patience = time.Second

func (s *slot) take(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case s.slots <- struct{}{}:
		s.held = true
		return nil
	}
}

func (s *slot) leave() {
	if s.held {
		<-s.slots
		s.held = false
	}
}

// wait waits for a vendor.
func (s *slot) wait(ctx context.Context, d time.Duration) error {
	if d <= patience {
		return wait(ctx, d)
	}
	s.leave()
	if err := wait(ctx, d); err != nil {
		return err
	}
	return s.take(ctx)
}
