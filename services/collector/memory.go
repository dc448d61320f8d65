package collector

import (
	"errors"

	"golang.org/x/sync/semaphore"
)

// errBusy says that a limit of what is handled at once is reached.
var errBusy = errors.New("too much is being handled already: send it again after a pause")

// memory is what all requests together may hold.
type memory struct {
	bytes    *semaphore.Weighted
	requests *semaphore.Weighted
	metrics  *metrics
}

func newMemory(cfg Config, m *metrics) *memory {
	return &memory{semaphore.NewWeighted(cfg.MaxBodyBytes), semaphore.NewWeighted(int64(cfg.MaxRequests)), m}
}

// reservation is what one request holds.
type reservation struct {
	of    *memory
	bytes int
}

// enter begins a request; leave ends it.
func (m *memory) enter() (*reservation, error) {
	if !m.requests.TryAcquire(1) {
		return nil, errBusy
	}
	m.metrics.requests.Inc()
	return &reservation{of: m}, nil
}

func (r *reservation) leave() {
	r.give(r.bytes)
	r.of.requests.Release(1)
	r.of.metrics.requests.Dec()
}

func (r *reservation) take(n int) error {
	if !r.of.bytes.TryAcquire(int64(n)) {
		return errBusy
	}
	r.bytes += n
	r.of.metrics.bytes.Add(float64(n))
	return nil
}

func (r *reservation) give(n int) {
	r.of.bytes.Release(int64(n))
	r.bytes -= n
	r.of.metrics.bytes.Sub(float64(n))
}
