package e2e

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/internal/kafka"
	"github.com/throughline-io/throughline/services/stitcher"
)

// stopping ends a stitcher while it hands a transaction to the producer: after so many facts.
type stopping struct {
	facts string
	left  atomic.Int64
	stop  context.CancelFunc
}

func (s *stopping) OnProduceRecordBuffered(r *kgo.Record) {
	if r.Topic == s.facts && s.left.Add(-1) == 0 {
		s.stop()
	}
}

// A stitcher that is ended in the middle of a transaction commits all of it or nothing: messages between partitions that were left out were
// two people for ever who are one.
func TestAStopLeavesNothingOut(t *testing.T) {
	const events = 3_000
	want := (&bench{}).stitchedWith(t, "whole.", events, nil)
	got := (&bench{}).stitchedWith(t, "stopped.", events, []int64{1, 2, 10, 40, 3, 70})
	if len(want) < events/2 || !maps.Equal(got, want) {
		missing := 0
		for k, n := range want {
			if got[k] != n {
				missing++
			}
		}
		t.Fatalf("%d facts stand, of %d; %d are not as they should be", len(got), len(want), missing)
	}
}

// stitchedWith stitches the mix, by a stitcher that is ended in the middle of a transaction as often as there are numbers of facts, and
// returns what stands.
func (x *bench) stitchedWith(t *testing.T, prefix string, events int, stops []int64) map[string]int64 {
	t.Helper()
	x = topics(t, prefix)
	x = &bench{engines: x.engines, workspaces: x.workspaces, events: x.mix(events)}
	x.fill(t, prefix)
	cfg := stitcher.DefaultConfig()
	cfg.TopicPrefix, cfg.TransactionalID, cfg.StateDir = prefix, "stop-"+prefix, t.TempDir()
	cfg.MaxRecords = 100 // so that there is something left to be stopped in
	facts := prefix + pipelines.TopicFacts
	run := func(after int64) (end func()) {
		ctx, cancel := context.WithCancel(context.Background())
		hook := &stopping{facts: facts, stop: cancel}
		hook.left.Store(after)
		own := cfg
		own.Kafka = append(append([]kgo.Opt{}, x.engines.Connect()...), kgo.WithHooks(hook))
		ended := make(chan error, 1)
		go func() { ended <- stitcher.New(own, x.rules(), nil, prometheus.NewRegistry(), zap.NewNop()).Run(ctx) }()
		wait := func() {
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
		if after > 0 {
			wait()
			return nil
		}
		return func() { cancel(); wait() }
	}
	for _, after := range stops {
		run(after)
	}
	end := run(0)
	x.drained(t, prefix+cfg.Group, prefix+pipelines.TopicEvents, prefix+pipelines.TopicMessages)
	end()
	return x.standing(t, facts)
}

// standing is what the facts of a topic sum to.
func (x *bench) standing(t *testing.T, topic string) map[string]int64 {
	t.Helper()
	sums := map[string]int64{}
	add := func(n int64, parts ...any) {
		key := fmt.Sprint(parts...)
		if sums[key] += n; sums[key] == 0 {
			delete(sums, key)
		}
	}
	if _, err := kafka.ReadAll(t.Context(), x.engines.Connect(), topic, func(r *kgo.Record) error {
		p, err := fact.Decode(r.Value)
		if err != nil {
			return err
		}
		for _, f := range p.Touches {
			add(int64(f.Sign), "touch ", f.Person, f.ID)
		}
		for _, f := range p.Identities {
			add(int64(f.Sign), "node ", f.Person, f.Node)
		}
		for _, c := range p.Credits {
			b := p.Bookings[c.Booking]
			add(c.Conversions, "credit ", b.Person, b.ID, b.Conversion, p.Touchpoints[c.Touch].ID, c.Model)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return sums
}
