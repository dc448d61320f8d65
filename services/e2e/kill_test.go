package e2e

import (
	"context"
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/throughline-io/throughline/services/demo"
)

var killEvents = flag.Int("kill-people", 18_200, "people of the story that is told while the system is killed; about eleven events each")

// TestKill kills the whole system with -9 at five random moments while 200,000 events are being sent by a sender that
// repeats what was not acknowledged. After the last start the audit shows no difference and the counts are exact.
func TestKill(t *testing.T) {
	t.Parallel() // most of it is waiting
	const kills = 5
	s := newSystem(t, 12, "workspaces:\n"+workspaceConfig("dealer", ""))
	cfg := demo.DefaultConfig(time.Now().Add(-time.Hour))
	cfg.People = *killEvents
	var totals demo.Totals
	type result struct {
		sent int
		err  error
	}
	sent := make(chan result, 1)
	progress := make(chan int, 1)
	url := newAddress("http://" + s.addr.HTTP)
	go func() {
		n, err := demo.Send(context.Background(), demo.Target{URL: url.get, Key: "sk_dealer", Batch: 500, Workers: 2}, demo.New(cfg).Lines(&totals), func(n int) {
			select {
			case progress <- n:
			default:
			}
		})
		sent <- result{n, err}
	}()
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for i := range kills {
		pause := time.Duration(500+rnd.IntN(2500)) * time.Millisecond
		select {
		case r := <-sent:
			sent <- r // it is all told already: kill while it is worked on
		case <-time.After(pause):
		}
		t.Logf("kill %d after %s, %d events acknowledged", i+1, pause, last(progress))
		s.kill()
		s.start()
		url.set("http://" + s.addr.HTTP)
	}
	r := <-sent
	if r.err != nil {
		t.Fatal(r.err)
	}
	s.drain()
	a := s.auditClean()
	if a.Events != totals.Events {
		t.Errorf("%d events stand, %d were told", a.Events, totals.Events)
	}
	rows := s.query(t, `SELECT toInt64(sum(conversions) * 1000000), toInt64(sum(revenue) * 100), toInt64(sum(cost_of_goods) * 100)
		FROM throughline.credits WHERE conversion = 'sale' GROUP BY model`)
	for _, row := range rows {
		if want := joined(int64(totals.Won)*1_000_000, totals.Revenue, totals.Cost); row != want {
			t.Errorf("sales %s, the story has %s", row, want)
		}
	}
	if len(rows) != models {
		t.Errorf("%d models have sales", len(rows))
	}
	visits := s.query(t, `SELECT sum(visits), toInt64(sum(spend) * 100) FROM throughline.channel_daily WHERE model = 'linear' AND date_basis = 'touch'`)
	if want := joined(int64(totals.Visits), totals.Spend); visits[0] != want {
		t.Errorf("visits and spend %s, the story has %s", visits[0], want)
	}
	t.Logf("%d events told (%d lines sent), %d deals won, %d cents", totals.Events, r.sent, totals.Won, totals.Revenue)
}
