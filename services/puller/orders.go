package puller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
)

// tail reads the orders that come while the owner works. Who orders need not know which process that is.
func (o *owner) tail(ctx context.Context) error {
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, o.p.cfg.Kafka...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{o.p.cfg.topic(pipelines.TopicPulls): {o.partition: kgo.NewOffset().At(o.end)}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxPartitionBytes(fetchBytes), kgo.FetchMaxWait(fetchWait), kgo.MaxConcurrentFetches(1),
	)...)
	if err != nil {
		return fmt.Errorf("puller: %w", err)
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, pollRecords)
		if err := pollError(ctx, fetches); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if ours := newState(); ours.take(r) == nil {
				o.hear(ours.orders)
			}
		})
	}
	return ctx.Err()
}

// hear takes orders. That one is gone was said by who did it.
func (o *owner) hear(orders map[pullID]Order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, order := range orders {
		o.state.orders[id] = order
		select {
		case o.orders[id] <- struct{}{}:
		default: // told already, or nobody's
		}
	}
}

// Ordering is an order that was given.
type Ordering struct {
	Workspace, Instance, Entry, ID string
}

// Give orders pulls: of one instance, or all where it is empty. Since reaches further back than the window; every pull that is ordered
// must have one then. They are run by the process that owns them, now or as soon as there is one.
func Give(ctx context.Context, cfg Config, set *sources.Set, name, since string) ([]Ordering, error) {
	given, list, err := orders(cfg, set, name, since)
	if err != nil {
		return nil, err
	}
	p := Puller{cfg: cfg}
	if err := p.countPartitions(ctx); err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, cfg.Kafka...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.AllISRAcks()))...)
	if err != nil {
		return nil, fmt.Errorf("puller: %w", err)
	}
	defer client.Close()
	for i, r := range list {
		id := instanceID{given[i].Workspace, given[i].Instance}
		r.Partition = pipelines.KeyPartition(id.Key(), p.pulls)
	}
	if err := client.ProduceSync(ctx, list...).FirstErr(); err != nil {
		return nil, fmt.Errorf("puller: order: %w", err)
	}
	return given, nil
}

func orders(cfg Config, set *sources.Set, name, since string) (given []Ordering, list []*kgo.Record, err error) {
	if _, bad := time.Parse(dayForm, since); since != "" && bad != nil {
		return nil, nil, fmt.Errorf("since: %q is no day such as 2026-11-01", since)
	}
	for _, i := range set.Instances {
		if name != "" && i.Name != name {
			continue
		}
		for _, e := range i.Source.EntriesOf(sources.Pulled) {
			if since != "" && e.Pull.Window == nil {
				err = errors.Join(err, fmt.Errorf("%s: %s has no window: its definition cannot ask for days", i.Name, e.Name))
				continue
			}
			id, bad := uuid.NewV7()
			if bad != nil {
				return nil, nil, fmt.Errorf("puller: order: %w", bad)
			}
			o := &owner{p: &Puller{cfg: cfg}}
			given = append(given, Ordering{i.Workspace.Name, i.Name, e.Name, id.String()})
			list = append(list, o.stateRecord(stateKey(kindOrder, instanceID{i.Workspace.Name, i.Name}, e.Name), Order{ID: id.String(), Since: since}))
		}
	}
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("no source %q that is pulled in the configuration", name)
	}
	return given, list, err
}

// Outcome is what became of an order.
type Outcome struct {
	Ordering
	Counts Counts
	Error  string
}

// Await waits until every order was run, tells each outcome once, and reports whether all succeeded.
func Await(ctx context.Context, cfg Config, given []Ordering, tell func(Outcome)) (bool, error) {
	open := map[Ordering]bool{}
	for _, g := range given {
		open[g] = true
	}
	good := true
	for len(open) > 0 {
		s, _, err := readState(ctx, cfg.Kafka, cfg.topic(pipelines.TopicPulls))
		if err != nil {
			return false, err
		}
		for g := range open {
			pull := s.pulls[pullID{instanceID{g.Workspace, g.Instance}, g.Entry}]
			order := s.orders[pullID{instanceID{g.Workspace, g.Instance}, g.Entry}]
			replaced := order.ID != g.ID && (pull == nil || pull.Ordered == nil || pull.Ordered.ID != g.ID)
			switch {
			case pull != nil && pull.Ordered != nil && pull.Ordered.ID == g.ID:
				tell(Outcome{g, pull.Counts, pull.Ordered.Error})
				good = good && pull.Ordered.Error == ""
				delete(open, g)
			case replaced:
				tell(Outcome{Ordering: g, Error: "another order came meanwhile"})
				good = false
				delete(open, g)
			}
		}
		if len(open) > 0 {
			if err := wait(ctx, awaitEvery); err != nil {
				return false, err
			}
		}
	}
	return good, nil
}

const awaitEvery = time.Second
