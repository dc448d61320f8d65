package collector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/throughline-io/throughline/pipelines"
)

// TestKafkaFails injects faults of Kafka while a request with a good and a bad item is sent: nothing is accepted in silence, and
// the same request is accepted in full once the fault has gone.
func TestKafkaFails(t *testing.T) {
	const dead = "p." + pipelines.TopicDead
	for _, row := range []struct {
		name  string
		fault kfake.Fault
		first int // status while it fails
		// events that Kafka has after both requests: more than one is a repetition, which the stitcher tells
		events int
	}{
		{"a leader that moves", kfake.Fault{Err: kerr.NotLeaderForPartition, Count: 1}, 202, 1},
		{"an answer that comes after the write", kfake.Fault{Err: kerr.NotEnoughReplicasAfterAppend, Count: 1}, 202, 1},
		{"too few replicas", kfake.Fault{Err: kerr.NotEnoughReplicas, Count: -1}, 503, 1},
		{"a broker that cannot", kfake.Fault{Err: kerr.KafkaStorageError, Count: -1}, 503, 1},
		{"no right to write", kfake.Fault{Err: kerr.TopicAuthorizationFailed, Count: -1}, 503, 1},
		{"a topic that takes less", kfake.Fault{Err: kerr.MessageTooLarge, Count: -1}, 503, 1},
		{"a fault without a name", kfake.Fault{Count: -1}, 503, 1},
		{"the dead letters alone", kfake.Fault{Topic: dead, Err: kerr.TopicAuthorizationFailed, Count: -1}, 503, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t, func(c *Config) { c.DeliveryTimeout = time.Second })
			row.fault.Keys = []kmsg.Key{kmsg.Produce}
			fault := d.cluster.Fault(row.fault)
			body := []byte("[" + visit("1") + "," + wrong("2") + "]")
			r := d.post(body)
			if r.status != row.first {
				t.Fatalf("%d, %s", r.status, r.text)
			}
			if r.status == http.StatusServiceUnavailable {
				if r.header.Get("Retry-After") != "1" || r.Error.Code != "unavailable" || r.Accepted != 0 {
					t.Errorf("%v, %s", r.header, r.text)
				}
				if strings.Contains(r.text, "AUTHORIZATION") || strings.Contains(r.text, "127.0.0.1") {
					t.Errorf("the sender is told what is the operator's: %s", r.text)
				}
				if n := testutil.CollectAndCount(d.metrics.accepted) + testutil.CollectAndCount(d.metrics.rejected); n != 0 {
					t.Errorf("%d kinds of items are counted though none was taken", n)
				}
				fault.Remove()
				d.await("an acceptance", func() bool { r = d.post(body); return r.status == http.StatusAccepted })
				if r.Accepted != 1 || r.Duplicates != 0 || len(r.Rejected) != 1 {
					t.Errorf("once it works again: %s", r.text)
				}
			}
			if n := len(d.records(pipelines.TopicEvents)); n != row.events {
				t.Errorf("Kafka has %d events, want %d", n, row.events)
			}
			if n := len(d.records(pipelines.TopicDead)); n != 1 {
				t.Errorf("Kafka has %d dead letters", n)
			}
		})
	}
}

func TestKafkaAway(t *testing.T) {
	d := open(t, func(c *Config) { c.DeliveryTimeout = time.Second })
	d.cluster.Close()
	r := d.post([]byte(visit("1")))
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") != "1" {
		t.Errorf("%d, %s", r.status, r.text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := d.Ready(ctx); err == nil {
		t.Error("it says it is ready")
	}
}

// TestNotConnected is the time before Kafka was reached, and after the end was asked for.
func TestNotConnected(t *testing.T) {
	d := unconnected(t)
	if r := d.post([]byte(visit("1"))); r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") != "1" {
		t.Errorf("before: %d, %s", r.status, r.text)
	}
	if err := d.Ready(t.Context()); !errors.Is(err, errNotConnected) {
		t.Errorf("ready before: %v", err)
	}
	d = open(t)
	if err := d.stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if r := d.post([]byte(visit("1"))); r.status != http.StatusServiceUnavailable {
		t.Errorf("after: %d, %s", r.status, r.text)
	}
}

func TestTopicMissing(t *testing.T) {
	for _, topic := range []string{pipelines.TopicEvents, pipelines.TopicDead} {
		t.Run(topic, func(t *testing.T) {
			d := unconnected(t)
			if err := d.cluster.DeleteTopic("p." + topic); err != nil {
				t.Fatal(err)
			}
			if err := d.Run(t.Context()); !errors.Is(err, kerr.UnknownTopicOrPartition) || !strings.Contains(err.Error(), topic) {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

// TestBufferFull fills the buffer in front of a Kafka that takes nothing.
func TestBufferFull(t *testing.T) {
	d := open(t, func(c *Config) { c.MaxBufferedRecords, c.DeliveryTimeout = MaxItems, 5*time.Second })
	fault := d.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
	var b strings.Builder
	for i := range MaxItems {
		b.WriteString(visit(fmt.Sprint(i)))
	}
	first := make(chan reply, 1)
	go func() { first <- d.post([]byte(b.String())) }()
	d.await("a full buffer", func() bool { return d.kafka.Load().client.BufferedProduceRecords() == MaxItems })
	if r := d.post([]byte(visit("x"))); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" {
		t.Errorf("%d, %s", r.status, r.text)
	}
	fault.Remove()
	if r := <-first; r.status != http.StatusAccepted || r.Accepted != MaxItems {
		t.Errorf("the first: %d, %.200s", r.status, r.text)
	}
}

// TestFlush checks that what a request waits for at the end is still written.
func TestFlush(t *testing.T) {
	d := open(t)
	fault := d.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1})
	answered := make(chan reply, 1)
	go func() { answered <- d.post([]byte(visit("1"))) }()
	if err := fault.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.stop() }()
	d.await("the end's beginning", func() bool { return d.kafka.Load() == nil })
	fault.Remove()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if r := <-answered; r.status != http.StatusAccepted {
		t.Errorf("%d, %s", r.status, r.text)
	}
	if n := len(d.records(pipelines.TopicEvents)); n != 1 {
		t.Errorf("Kafka has %d events", n)
	}
}
