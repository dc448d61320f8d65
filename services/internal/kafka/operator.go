package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Operator reads topics for whoever looks after the system, with kafka-go. It belongs to no group and commits nothing: to look changes
// nothing.
type Operator struct{ client *kafkago.Client }

// Login is how an operator logs in. Mechanism is plain, scram-sha-256 or scram-sha-512; none, if empty.
type Login struct{ Mechanism, User, Password string }

func (l Login) mechanism() (sasl.Mechanism, error) {
	switch l.Mechanism {
	case "":
		return nil, nil
	case "plain":
		return plain.Mechanism{Username: l.User, Password: l.Password}, nil
	case "scram-sha-256":
		return scram.Mechanism(scram.SHA256, l.User, l.Password)
	case "scram-sha-512":
		return scram.Mechanism(scram.SHA512, l.User, l.Password)
	}
	return nil, fmt.Errorf("login: mechanism %q is unknown", l.Mechanism)
}

// NewOperator connects when it is first used.
func NewOperator(brokers []string, secure *tls.Config, login Login) (*Operator, error) {
	m, err := login.mechanism()
	if err != nil {
		return nil, err
	}
	return &Operator{&kafkago.Client{Addr: kafkago.TCP(brokers...), Transport: &kafkago.Transport{TLS: secure, SASL: m, ClientID: "throughline-operator"}}}, nil
}

// Look is what an operator looks at.
type Look struct {
	Topic string
	// Since and Until bound the records' own times; a zero one bounds nothing. Records of one partition are nearly in the order of their
	// times: Since is where reading begins.
	Since, Until time.Time
	// Follow goes on behind the present end until ctx is done.
	Follow bool
	// Progress, if set, is told how many offsets were looked at, and of how many there were at the beginning.
	Progress func(done, all int64)
}

// followEvery is how often a topic that is followed is asked for more.
const followEvery = 300 * time.Millisecond

// span is a partition's offsets that are still to be read.
type span struct {
	partition int
	at, end   int64
}

// Read visits the committed records of a topic, partition by partition, up to what stood there when it began.
func (o *Operator) Read(ctx context.Context, look Look, visit func(Record) error) error {
	spans, err := o.spans(ctx, look)
	if err != nil {
		return err
	}
	var done, all int64
	for _, s := range spans {
		all += s.end - s.at
	}
	for {
		for i := range spans {
			s := &spans[i]
			if s.at >= s.end {
				continue
			}
			from, before := s.at, done
			err := o.readCommitted(ctx, look.Topic, s.partition, s.at, s.end, func(r Record) error {
				if look.Progress != nil {
					look.Progress(before+r.Offset-from, all)
				}
				if !look.Since.IsZero() && r.Time.Before(look.Since) || !look.Until.IsZero() && r.Time.After(look.Until) {
					return nil
				}
				return visit(r)
			})
			if err != nil {
				return err
			}
			done += s.end - from
			s.at = s.end
		}
		if !look.Follow {
			if look.Progress != nil {
				look.Progress(done, all)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
		if err := o.further(ctx, look.Topic, spans); err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // whoever looked has seen enough
			}
			return err
		}
	}
}

// spans are where every partition begins and ends.
func (o *Operator) spans(ctx context.Context, look Look) ([]span, error) {
	m, err := o.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{look.Topic}})
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", look.Topic, err)
	}
	if len(m.Topics) != 1 || m.Topics[0].Error != nil {
		return nil, fmt.Errorf("topic %s: %w", look.Topic, errors.Join(errNoTopic, m.Topics[0].Error))
	}
	var ask []kafkago.OffsetRequest
	for _, p := range m.Topics[0].Partitions {
		ask = append(ask, kafkago.FirstOffsetOf(p.ID), kafkago.LastOffsetOf(p.ID))
	}
	offsets, err := o.offsets(ctx, look.Topic, ask)
	if err != nil {
		return nil, err
	}
	var out []span
	for _, p := range offsets {
		out = append(out, span{p.Partition, p.FirstOffset, p.LastOffset})
	}
	if look.Since.IsZero() {
		return out, nil
	}
	for i := range out { // one time may be asked for in a request
		later, err := o.offsets(ctx, look.Topic, []kafkago.OffsetRequest{kafkago.TimeOffsetOf(out[i].partition, look.Since)})
		if err != nil {
			return nil, err
		}
		out[i].at = out[i].end // nothing is as late, unless one is found
		for offset := range later[0].Offsets {
			if offset >= 0 {
				out[i].at = min(out[i].end, offset)
			}
		}
	}
	return out, nil
}

var errNoTopic = errors.New("it cannot be read")

// further moves the ends to where they are now.
func (o *Operator) further(ctx context.Context, topic string, spans []span) error {
	var ask []kafkago.OffsetRequest
	for _, s := range spans {
		ask = append(ask, kafkago.LastOffsetOf(s.partition))
	}
	offsets, err := o.offsets(ctx, topic, ask)
	if err != nil {
		return err
	}
	for _, p := range offsets {
		for i := range spans {
			if spans[i].partition == p.Partition {
				spans[i].end = max(spans[i].end, p.LastOffset)
			}
		}
	}
	return nil
}

func (o *Operator) offsets(ctx context.Context, topic string, ask []kafkago.OffsetRequest) ([]kafkago.PartitionOffsets, error) {
	res, err := o.client.ListOffsets(ctx, &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{topic: ask}, IsolationLevel: kafkago.ReadCommitted})
	if err != nil {
		return nil, fmt.Errorf("offsets of %s: %w", topic, err)
	}
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return nil, fmt.Errorf("offsets of %s/%d: %w", topic, p.Partition, p.Error)
		}
	}
	return res.Topics[topic], nil
}
