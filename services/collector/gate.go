package collector

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/throughline-io/throughline/pipelines/sources"
)

// gate bounds how many heavy programs run at once, and how many of one instance: a program that takes its whole second is met by its own
// source's requests, and not by those of others.
type gate struct {
	all *semaphore.Weighted

	mu  sync.Mutex
	own map[string]*share // of instances, by workspace and name
}

type share struct{ mapping, waiting *semaphore.Weighted }

const (
	// mappedEach is how many heavy programs run at once for each processor: they wait for nothing, so more would only share the time. One
	// instance has half of it.
	mappedEach = 2
	// maxWaiting is how many requests of one instance may wait for that.
	maxWaiting = 100
)

func newGate() *gate {
	return &gate{all: semaphore.NewWeighted(int64(mappedEach * runtime.GOMAXPROCS(0))), own: map[string]*share{}}
}

// enter waits for a place, until ctx is done; leave gives it back.
func (g *gate) enter(ctx context.Context, i *sources.Instance) (leave func(), err error) {
	own := g.of(i)
	if !own.waiting.TryAcquire(1) {
		return nil, errBusy
	}
	defer own.waiting.Release(1)
	if err := own.mapping.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("%w: %w", errBusy, err)
	}
	if err := g.all.Acquire(ctx, 1); err != nil {
		own.mapping.Release(1)
		return nil, fmt.Errorf("%w: %w", errBusy, err)
	}
	return func() { g.all.Release(1); own.mapping.Release(1) }, nil
}

func (g *gate) of(i *sources.Instance) *share {
	g.mu.Lock()
	defer g.mu.Unlock()
	name := i.Workspace.Name + "/" + i.Name
	s := g.own[name]
	if s == nil {
		half := max(1, mappedEach*runtime.GOMAXPROCS(0)/2)
		s = &share{semaphore.NewWeighted(int64(half)), semaphore.NewWeighted(maxWaiting)}
		g.own[name] = s
	}
	return s
}
