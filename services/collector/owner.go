package collector

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/collector/numbers"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// owner gives out the numbers of the pools of one partition. It is the only one: its transactions shut out whoever wrote there
// before, so a process that was stopped for a while and goes on cannot give a number away that was given since.
//
// A visitor is told a number once its lease is committed to the log and Kafka has the lease's event. What was committed
// and never told does no harm: a number rests for a while.
type owner struct {
	c         *Collector
	partition int32
	client    *kgo.Client
	pools     map[poolID]*numbers.Pool
	hours     map[poolID]map[string]*numbers.Hour
	asks      <-chan *ask

	mu sync.Mutex
	// told are the numbers whose present lease Kafka has an event of.
	told map[string]int64
}

// ask is one visitor's request on its way through the owner.
type ask struct {
	id      poolID
	visitor event.NodeID
	event   func(l numbers.Lease, now time.Time) (*event.Event, error)
	answer  chan told // room for one
}

type told struct {
	numbers.Answer
	err error
}

// maxLeases bounds the leases of one transaction.
const maxLeases = 500

// leaseTransaction is after how long the broker ends the transaction of a process that is gone.
const leaseTransaction = 10 * time.Second

// own gives out a partition's numbers until ctx is done.
func (c *Collector) own(ctx context.Context, partition int32, asks <-chan *ask) {
	defer func() { // who still waits asks again, elsewhere
		for {
			select {
			case a := <-asks:
				a.answer <- told{err: errNotOwner}
			default:
				return
			}
		}
	}()
	pause := ownPause
	for ctx.Err() == nil {
		o, err := c.openOwner(ctx, partition, asks)
		if err == nil {
			pause = ownPause
			c.log.Info("the numbers of a partition are given out here", zap.Int32("partition", partition), zap.Int("pools", len(o.pools)))
			err = o.serve(ctx)
			o.client.Close()
		}
		if ctx.Err() != nil {
			return
		}
		c.log.Warn("numbers cannot be given out for a moment", zap.Int32("partition", partition), zap.Error(err))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastOwnPause)
	}
}

// Pauses before a partition is taken up again after an error.
const (
	ownPause     = 100 * time.Millisecond
	lastOwnPause = 5 * time.Second
)

// openOwner shuts the former owner out, reads what it left, and is the owner.
func (c *Collector) openOwner(ctx context.Context, partition int32, asks <-chan *ask) (_ *owner, err error) {
	topic := c.cfg.topic(pipelines.TopicLeases)
	name := c.cfg.TopicPrefix + "throughline-leases-" + strconv.Itoa(int(partition))
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, c.cfg.Kafka...),
		kgo.TransactionalID(name), kgo.TransactionTimeout(leaseTransaction), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(c.cfg.DeliveryTimeout), kgo.MetadataMinAge(leaderPause),
	)...)
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	defer func() {
		if err != nil {
			client.Close()
		}
	}()
	if _, err := kafka.MendTransaction(ctx, client, name, []string{topic}, leaseTransaction, c.log); err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		return nil, fmt.Errorf("leases: shut out the former owner: %w", err)
	}
	log, err := readLeases(ctx, c.cfg.Kafka, topic, partition)
	if err != nil {
		return nil, err
	}
	o := &owner{
		c: c, partition: partition, client: client, asks: asks, pools: map[poolID]*numbers.Pool{},
		hours: map[poolID]map[string]*numbers.Hour{}, told: map[string]int64{},
	}
	for id, p := range c.pools {
		if id.partition(c.leases.partitions) != partition {
			continue
		}
		o.pools[id], o.hours[id] = numbers.New(p.Numbers, p.Hold), map[string]*numbers.Hour{}
		for _, l := range log.leases[id] {
			o.pools[id].Restore(l)
		}
		for at, h := range log.hours[id] {
			o.hours[id][at] = &h
		}
	}
	return o, nil
}

// serve answers until ctx is done or something goes wrong, after which what is kept here may not be what is committed.
func (o *owner) serve(ctx context.Context) error {
	var events sync.WaitGroup
	defer events.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-o.asks:
			batch := []*ask{first}
			for more := true; more && len(batch) < maxLeases; {
				select {
				case a := <-o.asks:
					batch = append(batch, a)
				default:
					more = false
				}
			}
			if err := o.give(ctx, batch, &events); err != nil {
				return err
			}
		}
	}
}

// given is a lease on its way to its visitor.
type given struct {
	*ask
	numbers.Answer
	record *kgo.Record
}

// give answers a batch of visitors: at once those whose lease stands, the others once it is written down.
func (o *owner) give(ctx context.Context, batch []*ask, events *sync.WaitGroup) error {
	now := o.c.now()
	var waiting []given
	var records []*kgo.Record
	touched := map[poolID]bool{}
	for _, a := range batch {
		pool, ok := o.pools[a.id]
		if !ok {
			a.answer <- told{err: errNotOwner}
			continue
		}
		answer := pool.Ask(a.visitor, now.UnixMilli())
		if answer.Demand > 0 {
			o.hour(a.id, now).Count(answer)
			touched[a.id] = true
		}
		if answer.Number == "" || !answer.New && o.isTold(answer.Lease) {
			a.answer <- told{Answer: answer}
			continue
		}
		e, err := a.event(answer.Lease, now)
		if err != nil {
			a.answer <- told{err: err}
			continue
		}
		waiting = append(waiting, given{a, answer, record(o.c.cfg, o.c.kafka.Load(), e)})
		if answer.New {
			records = append(records, o.record(logKey(leaseKey, a.id, answer.Number), leaseValue(answer.Lease)))
		}
	}
	for id := range touched {
		records = append(records, o.hourRecords(id, now)...)
	}
	for id, p := range o.pools {
		o.c.metrics.held.WithLabelValues(id.workspace, id.pool).Set(float64(p.Held(now.UnixMilli())))
	}
	if err := o.commit(ctx, records); err != nil {
		for _, g := range waiting {
			g.answer <- told{err: err}
		}
		return err
	}
	if len(waiting) == 0 {
		return nil
	}
	// The next transaction need not wait for these.
	events.Go(func() { o.tell(context.WithoutCancel(ctx), waiting) })
	return nil
}

// tell sends the events and tells the visitors.
func (o *owner) tell(ctx context.Context, waiting []given) {
	records := make([]*kgo.Record, len(waiting))
	for i, g := range waiting {
		records[i] = g.record
	}
	err := errNotConnected
	if k := o.c.kafka.Load(); k != nil {
		err = o.c.produce(ctx, k.client, records)
	}
	if err == nil {
		o.mu.Lock()
		for _, g := range waiting {
			o.told[g.Number] = max(o.told[g.Number], g.Until)
			o.c.metrics.accepted.WithLabelValues(g.id.workspace, event.NumberLease.String()).Inc()
		}
		o.mu.Unlock()
	}
	for _, g := range waiting {
		g.answer <- told{g.Answer, err}
	}
}

func (o *owner) isTold(l numbers.Lease) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.told[l.Number] >= l.Until
}

func (o *owner) record(key, value []byte) *kgo.Record {
	return &kgo.Record{Topic: o.c.cfg.topic(pipelines.TopicLeases), Partition: o.partition, Key: key, Value: value}
}

// commit writes all records or none.
func (o *owner) commit(ctx context.Context, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	if err := o.client.BeginTransaction(); err != nil {
		return fmt.Errorf("leases: begin: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.c.cfg.DeliveryTimeout)
	defer cancel()
	err := o.client.ProduceSync(ctx, records...).FirstErr()
	err = errors.Join(err, o.client.EndTransaction(ctx, kgo.TransactionEndTry(err == nil)))
	if err != nil {
		return fmt.Errorf("leases: commit: %w", err)
	}
	return nil
}

// hour is what is counted now.
func (o *owner) hour(id poolID, now time.Time) *numbers.Hour {
	at := now.UTC().Format(hourForm)
	h := o.hours[id][at]
	if h == nil {
		h = &numbers.Hour{}
		o.hours[id][at] = h
	}
	return h
}

// hourRecords are the present hour as it stands, and the ends of those that are too old.
func (o *owner) hourRecords(id poolID, now time.Time) []*kgo.Record {
	at := now.UTC().Format(hourForm)
	records := []*kgo.Record{o.record(logKey(hourKey, id, at), hourValue(*o.hours[id][at]))}
	oldest := now.Add(-hoursKept).UTC().Format(hourForm)
	for old := range o.hours[id] {
		if old < oldest {
			delete(o.hours[id], old)
			records = append(records, o.record(logKey(hourKey, id, old), nil))
		}
	}
	return records
}

// hoursKept is how long back the demand for numbers can be reported.
const hoursKept = 90 * 24 * time.Hour

var errNotOwner = errors.New("another process gives out this pool's numbers")
