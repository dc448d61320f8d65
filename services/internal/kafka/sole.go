package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// SoleProducer is the only producer under its transactional id. What it commits stands whole or not at all, and after whatever it was
// opened upon. After any error it is to be closed: the next one under the name looks into what stands.
type SoleProducer struct {
	cfg     SoleConfig
	client  *kgo.Client
	endings *Endings
}

// SoleConfig says who produces, and where to.
type SoleConfig struct {
	// ID is the transactional id.
	ID string
	// Topics are all that it writes to, each record to the partition that the record says.
	Topics []string
	// TransactionTimeout is after how long the broker ends the transaction of a process that is gone.
	TransactionTimeout time.Duration
	// Delivery bounds a transaction from its beginning to its end.
	Delivery time.Duration
	// Produced, if given, is called when the broker has all records of a transaction, before it ends.
	Produced func()
	Log      *zap.Logger
}

// NewSoleProducer shuts out whoever had the id before, and ends what that one left open.
func NewSoleProducer(ctx context.Context, cfg SoleConfig, opts ...kgo.Opt) (_ *SoleProducer, err error) {
	s := &SoleProducer{cfg: cfg, endings: NewEndings(cfg.ID, cfg.Topics, cfg.TransactionTimeout, cfg.Log)}
	s.client, err = kgo.NewClient(append(append([]kgo.Opt{}, opts...),
		kgo.TransactionalID(cfg.ID), kgo.TransactionTimeout(cfg.TransactionTimeout), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(0), kgo.RecordDeliveryTimeout(cfg.Delivery), s.endings.Hook(),
	)...)
	if err != nil {
		return nil, fmt.Errorf("producer %s: %w", cfg.ID, err)
	}
	defer func() {
		if err != nil {
			s.client.Close()
		}
	}()
	if _, err := s.endings.Mend(ctx, s.client); err != nil {
		return nil, fmt.Errorf("producer %s: %w", cfg.ID, err)
	}
	if _, _, err := s.client.ProducerID(ctx); err != nil {
		return nil, fmt.Errorf("producer %s: shut out the former one: %w", cfg.ID, err)
	}
	return s, nil
}

// Commit writes all records in one transaction, or none. One at a time. Once begun it goes on when ctx ends, within its bound: an outcome
// that nobody waited for would have to be found out.
func (s *SoleProducer) Commit(ctx context.Context, records []*kgo.Record) error {
	if err := s.client.BeginTransaction(); err != nil {
		return fmt.Errorf("producer %s: begin: %w", s.cfg.ID, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Delivery)
	defer cancel()
	if _, err := s.endings.Await(ctx, s.client); err != nil {
		return fmt.Errorf("producer %s: %w", s.cfg.ID, err)
	}
	err := s.client.ProduceSync(ctx, records...).FirstErr()
	if err == nil && s.cfg.Produced != nil {
		s.cfg.Produced()
	}
	s.endings.Ending()
	if err = errors.Join(err, s.client.EndTransaction(ctx, kgo.TransactionEndTry(err == nil))); err != nil {
		return fmt.Errorf("producer %s: commit: %w", s.cfg.ID, err)
	}
	return nil
}

// Close lets go of the connections; the id stays with this producer until another one has it.
func (s *SoleProducer) Close() { s.client.Close() }
