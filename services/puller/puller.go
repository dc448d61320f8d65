// Package puller asks vendors for what they do not send: what is pulled on a schedule, and what a hook only named. Events go to Kafka.
//
// Completely, and each event once: what comes of an answer goes to Kafka in transactions, and the last of them says how far the pull
// is (its cursor, its day, the fetch's offset). A crash at any instant, a rebalance or a broker that goes away leaves the pull where
// the last transaction left it; what is asked again gives events with the same ids, which the stitcher tells. What cannot be mapped goes
// to the dead letters in the same transaction; a vendor that does not answer is asked again, with growing pauses, and a fetch that it
// has not answered for days goes to the dead letters too. Vendors may see a request twice.
//
// One process at a time works for an instance, among any number: partitions of the state's topic are shared out as a consumer
// group's, and the transactions of a new owner shut the former one out. Whoever cancels Run gets it back after the running transaction.
package puller

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
)

// Puller is one process's share of the instances.
type Puller struct {
	cfg     Config
	sources atomic.Pointer[following]
	log     *zap.Logger
	metrics *metrics
	slots   slots
	// events and the others are how many partitions these topics have.
	events, dead, fetches, pulls int32
	// step is told where a transaction is: tests die there.
	step func(string)
}

// New makes a puller of sources that were bound without a fault; nothing happens until Run.
func New(cfg Config, set *sources.Set, reg prometheus.Registerer, log *zap.Logger) *Puller {
	p := &Puller{cfg: cfg, log: log, metrics: newMetrics(reg), slots: make(slots, max(1, cfg.Pulls)), step: func(string) {}}
	p.sources.Store(&following{set, make(chan struct{})})
	return p
}

// following is the sources in force, until changed is closed.
type following struct {
	*sources.Set
	changed chan struct{}
}

// UseSources puts other sources in force, at any time. What is being asked is asked again by the new definition.
func (p *Puller) UseSources(set *sources.Set) {
	close(p.sources.Swap(&following{set, make(chan struct{})}).changed)
}

// Run works until ctx is done.
func (p *Puller) Run(ctx context.Context) error {
	if err := p.cfg.Validate(); err != nil {
		return err
	}
	if err := p.countPartitions(ctx); ctx.Err() != nil || err != nil {
		return quiet(ctx, err)
	}
	return p.share(ctx)
}

// quiet is nil where the error is only that we were told to stop.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil //nolint:nilerr // what fails because we end is no fault
	}
	return err
}

// countPartitions asks the topics themselves: all processes must agree where an event, and an instance, lives.
func (p *Puller) countPartitions(ctx context.Context) error {
	client, err := kgo.NewClient(p.cfg.Kafka...)
	if err != nil {
		return fmt.Errorf("puller: %w", err)
	}
	defer client.Close()
	for name, n := range map[string]*int32{
		pipelines.TopicEvents: &p.events, pipelines.TopicDead: &p.dead, pipelines.TopicFetches: &p.fetches, pipelines.TopicPulls: &p.pulls,
	} {
		topic := p.cfg.topic(name)
		topics, err := kadm.NewClient(client).ListTopics(ctx, topic)
		if err != nil {
			return fmt.Errorf("puller: list topic %s: %w", topic, err)
		}
		if err := topics[topic].Err; err != nil {
			return fmt.Errorf("puller: topic %s: %w (create it with `throughline migrate`)", topic, err)
		}
		if *n = int32(len(topics[topic].Partitions)); *n == 0 {
			return fmt.Errorf("puller: topic %s has no partition", topic)
		}
	}
	return nil
}

// share takes part in sharing out the instances until ctx is done.
func (p *Puller) share(ctx context.Context) error {
	topic := p.cfg.topic(pipelines.TopicPulls)
	type ownership struct {
		stop context.CancelFunc
		done chan struct{}
	}
	var mu sync.Mutex
	owned := map[int32]ownership{}
	take := func(_ context.Context, _ *kgo.Client, given map[string][]int32) {
		mu.Lock()
		defer mu.Unlock()
		for _, partition := range given[topic] {
			life, stop := context.WithCancel(ctx)
			o := ownership{stop, make(chan struct{})}
			owned[partition] = o
			go func() {
				defer close(o.done)
				p.own(life, partition)
			}()
		}
		p.metrics.partitions.Set(float64(len(owned)))
	}
	// The next owner would shut this one out anyway. It is waited for so that a vendor is not asked for a token by two at once.
	leave := func(_ context.Context, _ *kgo.Client, taken map[string][]int32) {
		mu.Lock()
		defer mu.Unlock()
		for _, partition := range taken[topic] {
			if o, ok := owned[partition]; ok {
				o.stop()
				defer func() { <-o.done }()
				delete(owned, partition)
			}
		}
		p.metrics.partitions.Set(float64(len(owned)))
	}
	group, err := kgo.NewClient(append(append([]kgo.Opt{}, p.cfg.Kafka...),
		kgo.ConsumerGroup(p.cfg.topic("throughline.puller")), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(take), kgo.OnPartitionsRevoked(leave), kgo.OnPartitionsLost(leave),
		kgo.SessionTimeout(p.cfg.SessionTimeout), kgo.HeartbeatInterval(p.cfg.SessionTimeout/3),
	)...)
	if err != nil {
		return fmt.Errorf("puller: %w", err)
	}
	group.PauseFetchTopics(topic)
	<-ctx.Done()
	group.Close()
	mu.Lock()
	defer mu.Unlock()
	for _, o := range owned {
		o.stop()
		<-o.done
	}
	return nil
}

// slots bound the pulls that run at once.
type slots chan struct{}
