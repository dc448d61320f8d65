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

	"github.com/throughline-io/throughline/pipelines/intake"
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
	producer  *kafka.SoleProducer
	pools     map[poolID]*numbers.Pool
	hours     map[poolID]map[string]*numbers.Hour
	asks      <-chan *ask
	asked     map[poolID]bool // pools with visitors that are not written down yet

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

// transactionPause is how long to wait where the broker is still writing down the end of the transaction before: a visitor waits too.
const transactionPause = 2 * time.Millisecond

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
			o.producer.Close()
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
	topic := c.cfg.leasesTopic()
	producer, err := kafka.NewSoleProducer(ctx, kafka.SoleConfig{
		ID: c.cfg.TopicPrefix + "throughline-leases-" + strconv.Itoa(int(partition)), Topics: []string{topic},
		TransactionTimeout: leaseTransaction, Delivery: c.cfg.DeliveryTimeout, Log: c.log,
	}, append(append([]kgo.Opt{}, c.cfg.Kafka...), kgo.ConcurrentTransactionsBackoff(transactionPause), kgo.MetadataMinAge(intake.LeaderPause))...)
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	defer func() {
		if err != nil {
			producer.Close()
		}
	}()
	log, err := readLeases(ctx, c.cfg.Kafka, topic, partition)
	if err != nil {
		return nil, err
	}
	o := &owner{
		c: c, partition: partition, producer: producer, asks: asks, pools: map[poolID]*numbers.Pool{},
		hours: map[poolID]map[string]*numbers.Hour{}, told: map[string]int64{}, asked: map[poolID]bool{},
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

// serve answers until ctx is done or something goes wrong, after which what is kept here may not be what is committed. Visitors
// whose lease stands do not wait for the transaction of those whose lease is new.
func (o *owner) serve(ctx context.Context) error {
	var events sync.WaitGroup
	defer events.Wait()
	var next transaction // what the next one will hold
	committed := make(chan error, 1)
	running := false
	hours := time.NewTicker(hoursEvery)
	defer hours.Stop()
	for {
		select {
		case <-ctx.Done():
			next.fail(errNotOwner)
			return nil
		case a := <-o.asks:
			o.give(a, &next)
		case <-hours.C:
			o.countHours(&next)
		case err := <-committed:
			if err != nil {
				next.fail(err)
				return err
			}
			running = false
		}
		if running || len(next.records) == 0 && len(next.waiting) == 0 {
			continue
		}
		now := next
		next, running = transaction{}, true
		events.Go(func() {
			err := o.commit(ctx, now.records)
			committed <- err // the next transaction need not wait for these events
			if err != nil {
				now.fail(err)
				return
			}
			o.tell(context.WithoutCancel(ctx), now.waiting)
		})
	}
}

// hoursEvery is how often what was asked for is written down; a crash loses as much of the count.
const hoursEvery = time.Second

// transaction is records that are committed together, and the visitors who wait for that.
type transaction struct {
	waiting []given
	records []*kgo.Record
}

func (t *transaction) fail(err error) {
	for _, g := range t.waiting {
		g.answer <- told{err: err}
	}
	t.waiting = nil
}

// given is a lease on its way to its visitor.
type given struct {
	*ask
	numbers.Answer
	record *kgo.Record
}

// give answers a visitor whose lease stands, or who finds no number; another waits for the next transaction.
func (o *owner) give(a *ask, next *transaction) {
	now := o.c.now()
	pool, ok := o.pools[a.id]
	k := o.c.kafka.Load()
	if !ok || k == nil {
		a.answer <- told{err: errNotOwner}
		return
	}
	answer := pool.Ask(a.visitor, now.UnixMilli())
	if answer.Demand > 0 {
		o.hour(a.id, now).Count(answer)
		o.asked[a.id] = true
	}
	if answer.Number == "" || !answer.New && o.isTold(answer.Lease) {
		a.answer <- told{Answer: answer}
		return
	}
	if answer.New {
		next.records = append(next.records, o.record(logKey(leaseKey, a.id, answer.Number), leaseValue(answer.Lease)))
	}
	e, err := a.event(answer.Lease, now)
	if err != nil {
		a.answer <- told{err: err}
		return
	}
	next.waiting = append(next.waiting, given{a, answer, k.topics.Event(e)})
}

// countHours writes down what was asked for since the last time.
func (o *owner) countHours(next *transaction) {
	now := o.c.now()
	for id := range o.asked {
		next.records = append(next.records, o.hourRecords(id, now)...)
	}
	clear(o.asked)
	for id, p := range o.pools {
		o.c.metrics.held.WithLabelValues(id.workspace, id.pool).Set(float64(p.Held(now.UnixMilli())))
	}
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
	return &kgo.Record{Topic: o.c.cfg.leasesTopic(), Partition: o.partition, Key: key, Value: value}
}

// commit writes all records or none.
func (o *owner) commit(ctx context.Context, records []*kgo.Record) error {
	if len(records) == 0 {
		return nil
	}
	began := time.Now()
	defer func() { o.c.metrics.leaseCommit.Observe(time.Since(began).Seconds()) }()
	if err := o.producer.Commit(ctx, records); err != nil {
		return fmt.Errorf("leases: %w", err) // the owner ends, and the next one looks into it
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
	var records []*kgo.Record
	for _, t := range []time.Time{now.Add(-hoursEvery), now} { // the hour may have ended since
		if at := t.UTC().Format(hourForm); o.hours[id][at] != nil {
			records = append(records, o.record(logKey(hourKey, id, at), hourValue(*o.hours[id][at])))
		}
	}
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
