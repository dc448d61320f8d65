package puller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/sealed"
	"github.com/throughline-io/throughline/services/puller/remote"
)

// instance is one that is worked for, with what its pulls and fetches share.
type instance struct {
	*sources.Instance
	id     instanceID
	owner  *owner
	vendor *remote.Vendor
	rules  *event.Rules
	pepper []byte
	log    *zap.Logger
}

func (o *owner) instance(i *sources.Instance, id instanceID) *instance {
	in := &instance{
		Instance: i, id: id, owner: o, rules: i.Workspace.EventRules(), pepper: []byte(i.Workspace.Pepper),
		log: o.log.With(zap.String("workspace", id.Workspace), zap.String("source", id.Instance)),
	}
	in.vendor = remote.NewVendor(i, remote.Options{
		Transport: o.p.cfg.Transport, Kept: in.kept, Keep: in.keep,
		Asked: func(outcome string) { o.p.metrics.requests.WithLabelValues(id.Workspace, id.Instance, outcome).Inc() },
	})
	return in
}

// kept is a token that was kept. One that cannot be opened is one of another pepper: the configuration's is taken.
func (in *instance) kept(name string) (t remote.Token, ok bool) {
	in.owner.mu.Lock()
	b := in.owner.state.tokens[in.id][name]
	in.owner.mu.Unlock()
	if len(b) == 0 {
		return t, false
	}
	text, err := sealed.Open(sealed.Tokens, in.id.Workspace, in.pepper, b)
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err != nil {
		in.log.Warn("the token that was kept cannot be read: the configured one is taken", zap.Error(err))
		return remote.Token{}, false
	}
	return t, true
}

// keep writes a token down, sealed, in a transaction of its own.
func (in *instance) keep(ctx context.Context, name string, t remote.Token) error {
	text, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("puller: a token: %w", err)
	}
	b, err := sealed.Seal(sealed.Tokens, in.id.Workspace, in.pepper, text)
	if err != nil {
		return fmt.Errorf("puller: a token: %w", err)
	}
	if err := in.owner.commit(ctx, []*kgo.Record{in.owner.record(stateKey(kindToken, in.id, name), b)}); err != nil {
		return errors.Join(errOwner, err)
	}
	in.owner.mu.Lock()
	within(in.owner.state.tokens, in.id)[name] = b
	in.owner.mu.Unlock()
	return nil
}

// errOwner is at the root of errors that are Kafka's and not a vendor's: they end the owner.
var errOwner = errors.New("the state cannot be written")

// record is one of the state; without a value, it takes one away.
func (o *owner) record(key, value []byte) *kgo.Record {
	return &kgo.Record{Topic: o.p.cfg.topic(pipelines.TopicPulls), Partition: o.partition, Key: key, Value: value}
}

// stateRecord is one with a value as JSON.
func (o *owner) stateRecord(key []byte, v any) *kgo.Record {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("puller: state: %v", err)) // times, texts, numbers, and JSON that was read
	}
	return o.record(key, b)
}
