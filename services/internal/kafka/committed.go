package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// Record is a record as the operator's tools see it.
type Record struct {
	Partition int
	Offset    int64
	Time      time.Time
	Key       []byte
	Value     []byte
}

// fetchBytes bounds one fetch.
const fetchBytes = 24 << 20

// Types of control records.
const (
	controlAbort  = 0
	controlCommit = 1
)

// ReadCommitted reads a partition's committed records from one offset to another (not included) with kafka-go, the
// operator's client. That client shows what was aborted and the markers of transactions too; here a transaction's records
// wait for its marker.
func ReadCommitted(ctx context.Context, addr, topic string, partition int, from, to int64, do func(Record) error) error {
	o := &Operator{&kafkago.Client{Addr: kafkago.TCP(addr)}}
	return o.readCommitted(ctx, topic, partition, from, to, do)
}

func (o *Operator) readCommitted(ctx context.Context, topic string, partition int, from, to int64, visit func(Record) error) error {
	open := map[int64][]Record{} // by producer
	do := func(r Record) error {
		r.Partition = partition
		return visit(r)
	}
	for at := from; at < to; {
		res, err := o.client.Fetch(ctx, &kafkago.FetchRequest{
			Topic: topic, Partition: partition, Offset: at, MinBytes: 1, MaxBytes: fetchBytes, MaxWait: time.Second, IsolationLevel: kafkago.ReadCommitted,
		})
		if err = errors.Join(err, resError(res)); err != nil {
			return fmt.Errorf("fetch %s/%d from %d: %w", topic, partition, at, err)
		}
		next := at
		if stream, ok := res.Records.(*protocol.RecordStream); ok {
			for _, batch := range stream.Records {
				if next, err = readBatch(batch, at, next, open, do); err != nil {
					return fmt.Errorf("read %s/%d: %w", topic, partition, err)
				}
			}
		}
		if next == at && ctx.Err() != nil {
			return ctx.Err()
		}
		at = next
	}
	return nil
}

func resError(res *kafkago.FetchResponse) error {
	if res == nil {
		return nil
	}
	return res.Error
}

// readBatch takes one batch and returns the offset after it. A fetch gives whole batches, so one may begin before at.
func readBatch(batch protocol.RecordReader, at, next int64, open map[int64][]Record, do func(Record) error) (int64, error) {
	for {
		r, err := batch.ReadRecord()
		if errors.Is(err, io.EOF) {
			return next, nil
		}
		if err != nil {
			return next, err
		}
		if r.Offset < at {
			continue
		}
		next = r.Offset + 1
		if control, ok := batch.(*protocol.ControlBatch); ok {
			if err := endTransaction(control.ProducerID, r, open, do); err != nil {
				return next, err
			}
			continue
		}
		one, err := record(r)
		if err != nil {
			return next, err
		}
		if b, ok := batch.(*protocol.RecordBatch); ok && b.Attributes.Transactional() {
			open[b.ProducerID] = append(open[b.ProducerID], one)
			continue
		}
		if err := do(one); err != nil {
			return next, err
		}
	}
}

func endTransaction(producer int64, r *protocol.Record, open map[int64][]Record, do func(Record) error) error {
	c, err := protocol.ReadControlRecord(r)
	if err != nil {
		return err
	}
	records := open[producer]
	delete(open, producer)
	if c.Type == controlAbort {
		return nil
	}
	if c.Type != controlCommit {
		return fmt.Errorf("control record of type %d", c.Type)
	}
	for _, one := range records {
		if err := do(one); err != nil {
			return err
		}
	}
	return nil
}

func record(r *protocol.Record) (Record, error) {
	key, err := protocol.ReadAll(r.Key)
	if err != nil {
		return Record{}, err
	}
	value, err := protocol.ReadAll(r.Value)
	return Record{Offset: r.Offset, Time: r.Time, Key: key, Value: value}, err
}
