package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync/atomic"
	"testing"
	"time"

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
// two people for ever who are one. With its broker away it ends all the same, and the next one does what it had begun.
func TestAStopLeavesNothingOut(t *testing.T) {
	const events = 3_000
	want := stitchedMix(t, "whole.", events, nil, false)
	if len(want) < events/2 {
		t.Fatalf("%d facts", len(want))
	}
	for prefix, stops := range map[string][]int64{"stopped.": {1, 2, 10, 40, 3, 70}, "away.": {2, 40}} {
		got := stitchedMix(t, prefix, events, stops, prefix == "away.")
		if maps.Equal(got, want) {
			continue
		}
		missing := 0
		for k, n := range want {
			if got[k] != n {
				missing++
			}
		}
		t.Errorf("%s: %d facts stand, of %d; %d are not as they should be", prefix, len(got), len(want), missing)
	}
}

// wire is the way to a broker that can be cut: who is connected waits for answers that do not come, as with a host that has gone.
type wire struct {
	cut atomic.Bool
}

func (w *wire) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if w.cut.Load() {
		return nil, errCut
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	return wired{c, w}, err
}

var errCut = errors.New("the wire is cut")

type wired struct {
	net.Conn
	wire *wire
}

func (c wired) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.wire.cut.Load() {
		return 0, errors.Join(errCut, c.Close())
	}
	return n, err
}

func (c wired) Write(b []byte) (int, error) {
	if c.wire.cut.Load() {
		return 0, errCut
	}
	return c.Conn.Write(b)
}

// stitchedMix is what stands once the mix is stitched, by a stitcher that is ended in the middle of a transaction as often as there are
// numbers of facts, with the broker away or not.
func stitchedMix(t *testing.T, prefix string, events int, stops []int64, away bool) map[string]int64 {
	t.Helper()
	x := mixOn(t, prefix, events)
	cfg := stitcher.DefaultConfig()
	cfg.TopicPrefix, cfg.TransactionalID, cfg.StateDir = prefix, "stop-"+prefix, t.TempDir()
	cfg.MaxRecords = 100 // so that there is something left to be stopped in
	if away {
		cfg.StopTimeout = 200 * time.Millisecond
	}
	facts := prefix + pipelines.TopicFacts
	run := func(after int64) (end func()) {
		ctx, cancel := context.WithCancel(context.Background())
		w := &wire{}
		hook := &stopping{facts: facts, stop: func() { w.cut.Store(away); cancel() }}
		hook.left.Store(after)
		own := cfg
		own.Kafka = append(append([]kgo.Opt{}, x.engines.Connect()...), kgo.WithHooks(hook), kgo.Dialer(w.dial))
		ended := make(chan error, 1)
		go func() { ended <- stitcher.New(own, x.rules(), nil, prometheus.NewRegistry(), zap.NewNop()).Run(ctx) }()
		wait := func() {
			if err := <-ended; (err != nil) != w.cut.Load() { // that an end was not waited for is told
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
