package puller

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/services/puller/remote"
)

// job is one pull of one instance: it waits until it is due or ordered, and runs.
type job struct {
	*instance
	entry    *sources.Entry
	pull     *sources.Pull
	pullID   pullID
	asker    *remote.Asker
	slot     slot
	state    Pull
	accounts map[string]*Account
	ordered  chan struct{}
	buried   buried
}

func newJob(in *instance, e *sources.Entry) *job {
	j := &job{instance: in, entry: e, pull: e.Pull, pullID: pullID{in.id, e.Name}, slot: slot{slots: in.owner.p.slots}, buried: newBuried()}
	in.owner.mu.Lock()
	defer in.owner.mu.Unlock()
	if kept := in.owner.state.pulls[j.pullID]; kept != nil {
		j.state = *kept
	}
	j.accounts = within(in.owner.state.accounts, j.pullID)
	j.ordered = make(chan struct{}, 1)
	in.owner.orders[j.pullID] = j.ordered
	j.asker = in.vendor.Asker(&e.Pull.Remote, j.slot.wait)
	j.log = in.log.With(zap.String("entry", e.Name))
	in.owner.p.metrics.succeeded(j.pullID, j.state.Ended)
	return j
}

// loop runs until ctx is done. An error is Kafka's: the owner ends.
func (j *job) loop(ctx context.Context) error {
	for {
		order, err := j.due(ctx)
		if err != nil {
			return err
		}
		if err := j.slot.take(ctx); err != nil {
			return err
		}
		err = j.run(ctx, order)
		j.slot.leave()
		if err != nil {
			return err
		}
	}
}

// due waits until there is something to do, and gives the order, if that is it.
func (j *job) due(ctx context.Context) (*Order, error) {
	for {
		if o, ok := j.order(); ok {
			return &o, nil
		}
		at := nextTime(&j.state, j.pull.Every)
		pause := time.Until(at)
		if pause <= 0 {
			return nil, ctx.Err()
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil, ctx.Err()
		case <-j.ordered:
		case <-t.C:
		}
		t.Stop()
	}
}

func (j *job) order() (Order, bool) {
	j.owner.mu.Lock()
	defer j.owner.mu.Unlock()
	o, ok := j.owner.state.orders[j.pullID]
	return o, ok
}

// run runs the pull, or goes on with a run that was interrupted. What comes of it is in the state.
func (j *job) run(ctx context.Context, order *Order) error {
	began := time.Now()
	r := j.begin(order, began)
	within, cancel := context.WithTimeout(ctx, maxRun)
	failure := r.all(within)
	cancel()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(failure, errOwner):
		return failure
	}
	outcome := "ok"
	if failure == nil {
		j.state = Pull{Version: j.Source.Version, Began: r.Began, Ended: time.Now(), Counts: r.Counts, Ordered: j.state.Ordered}
	} else {
		f := remote.AsFailure(failure)
		outcome = string(f.Reason)
		j.state.Run, j.state.Tried, j.state.Failures = &r.Run, time.Now(), j.state.Failures+1
		j.state.Reason, j.state.Error, j.state.NotBefore = outcome, f.Err.Error(), time.Time{}
		if f.After > 0 {
			j.state.NotBefore = j.state.Tried.Add(f.After)
		}
		j.log.Warn("a pull failed: it is tried again", zap.String("reason", outcome), zap.Error(f.Err), zap.String("answer", f.Said), zap.Int("failures", j.state.Failures))
	}
	if err := j.settle(ctx, order); err != nil {
		return err
	}
	j.owner.p.metrics.pulls.WithLabelValues(j.id.Workspace, j.id.Instance, j.entry.Name, outcome).Inc()
	j.owner.p.metrics.succeeded(j.pullID, j.state.Ended)
	if failure == nil {
		j.log.Info("pulled", zap.Int("items", r.Counts.Items), zap.Int("events", r.Counts.Events), zap.Int("dead_letters", r.Counts.Letters), zap.Duration("took", time.Since(began)))
	}
	return nil
}

// settle writes down how a run went, and that its order is done with.
func (j *job) settle(ctx context.Context, order *Order) error {
	if order != nil {
		j.state.Ordered = &Ordered{ID: order.ID, Error: j.state.Error}
	}
	j.state.Next = nextTime(&j.state, j.pull.Every)
	records := []*kgo.Record{j.stateOf()}
	if order != nil {
		records = append(records, j.owner.record(stateKey(kindOrder, j.id, j.entry.Name), nil))
	}
	if err := j.owner.commit(ctx, records); err != nil {
		return err
	}
	if order != nil {
		j.owner.mu.Lock()
		if j.owner.state.orders[j.pullID] == *order { // or another has come since
			delete(j.owner.state.orders, j.pullID)
		}
		j.owner.mu.Unlock()
	}
	return nil
}

func (j *job) stateOf() *kgo.Record {
	return j.owner.stateRecord(stateKey(kindPull, j.id, j.entry.Name), j.state)
}
