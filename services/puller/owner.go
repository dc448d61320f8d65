package puller

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// owner works for the instances of one partition. It is the only one: its transactions shut out whoever wrote there before.
type owner struct {
	p         *Puller
	partition int32
	producer  *kafka.SoleProducer
	log       *zap.Logger
	end       int64 // of the state, as it was read

	committing sync.Mutex // one transaction at a time
	// transact writes records in one transaction.
	transact func(ctx context.Context, records []*kgo.Record) error

	mu     sync.Mutex
	state  *State
	orders map[pullID]chan struct{} // told when one comes
}

// Pauses before a partition is taken up again after an error.
const (
	ownPause     = 200 * time.Millisecond
	lastOwnPause = 10 * time.Second
)

// transactionTimeout is after how long the broker ends the transaction of a process that is gone. Transactions here take as long as
// Kafka does, never as long as a vendor: what waits for the end of one is everybody who reads the events.
const transactionTimeout = 10 * time.Second

// own works for a partition's instances until ctx is done.
func (p *Puller) own(ctx context.Context, partition int32) {
	pause := ownPause
	for ctx.Err() == nil {
		set := p.sources.Load()
		o, err := p.open(ctx, partition)
		if err == nil {
			pause = ownPause
			err = o.follow(ctx, set)
			o.producer.Close()
		}
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			continue // by other sources
		}
		p.log.Warn("the sources of a partition are not asked for a moment", zap.Int32("partition", partition), zap.Error(err), zap.Duration("again_in", pause))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastOwnPause)
	}
}

// open shuts the former owner out, reads what it left, and is the owner.
func (p *Puller) open(ctx context.Context, partition int32) (_ *owner, err error) {
	topics := []string{p.cfg.topic(pipelines.TopicPulls), p.cfg.topic(pipelines.TopicEvents), p.cfg.topic(pipelines.TopicDead)}
	producer, err := kafka.NewSoleProducer(ctx, kafka.SoleConfig{
		ID: p.cfg.TopicPrefix + "throughline-puller-" + strconv.Itoa(int(partition)), Topics: topics,
		TransactionTimeout: transactionTimeout, Delivery: p.cfg.DeliveryTimeout, Log: p.log, Produced: func() { p.step("produced") },
	}, append(append([]kgo.Opt{}, p.cfg.Kafka...),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerBatchMaxBytes(maxRecordBytes))...)
	if err != nil {
		return nil, fmt.Errorf("puller: %w", err)
	}
	defer func() {
		if err != nil {
			producer.Close()
		}
	}()
	o := &owner{p: p, partition: partition, producer: producer, log: p.log.With(zap.Int32("partition", partition)), orders: map[pullID]chan struct{}{}}
	o.transact = o.transaction
	state, ends, err := readState(ctx, p.cfg.Kafka, topics[0], partition)
	o.state, o.end = state, ends[partition]
	return o, err
}

// follow works by these sources; nil when others are in force.
func (o *owner) follow(ctx context.Context, set *following) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-set.changed:
			stop()
		case <-ctx.Done():
		}
	}()
	err := o.work(ctx, set.Set)
	select {
	case <-set.changed:
		return nil
	default:
		return err
	}
}

// work does everything there is to do for the instances, side by side.
func (o *owner) work(ctx context.Context, set *sources.Set) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, i := range set.Instances {
		id := instanceID{i.Workspace.Name, i.Name}
		if pipelines.KeyPartition(id.Key(), o.p.pulls) != o.partition {
			continue
		}
		in := o.instance(i, id)
		for _, e := range i.Source.EntriesOf(sources.Pulled) {
			j := newJob(in, e)
			g.Go(func() error { return j.loop(ctx) })
		}
		if hasFetches(i) {
			f := newFetcher(in)
			g.Go(func() error { return f.run(ctx) })
		}
	}
	for fetches := o.partition; fetches < o.p.fetches; fetches += o.p.pulls { // each is swept by one owner, whichever topic has more
		g.Go(func() error { return newSweeper(o, fetches, set).run(ctx) })
	}
	g.Go(func() error { return o.tail(ctx) })
	return g.Wait()
}

// commit writes all records or none. What a job has in memory is what was committed once this is nil; any error ends the owner, and
// the next one reads what stands.
func (o *owner) commit(ctx context.Context, records []*kgo.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.committing.Lock()
	defer o.committing.Unlock()
	began := time.Now()
	if err := o.transact(ctx, records); err != nil {
		return err
	}
	o.p.metrics.commit.Observe(time.Since(began).Seconds())
	return nil
}

func (o *owner) transaction(ctx context.Context, records []*kgo.Record) error {
	if err := o.producer.Commit(ctx, records); err != nil {
		return fmt.Errorf("puller: %w", err)
	}
	o.p.step("committed")
	return nil
}

// wait waits so long, or until ctx is done.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
