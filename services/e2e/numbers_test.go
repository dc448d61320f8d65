package e2e

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
)

// startCollector starts one more collector on the running system and returns its address.
func (s *system) startCollector() (*exec.Cmd, string) {
	s.t.Helper()
	cmd := exec.Command(program, "collector", "--config", s.config)
	errs, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it may have been killed already
	lines := bufio.NewScanner(errs)
	for lines.Scan() {
		if _, addr, ok := strings.Cut(lines.Text(), "collector on "); ok {
			go func() {
				for lines.Scan() { // so that it never waits for a reader
				}
			}()
			return cmd, addr
		}
	}
	s.t.Fatalf("a second collector does not start: %v", lines.Err())
	return nil, ""
}

// TestNumbers lets visitors ask two collectors for the numbers of a small pool, while one of them is killed, started again, and
// stopped for longer than its session: what visitors are told must be leased to them, and nobody's live number be given away.
func TestNumbers(t *testing.T) {
	t.Parallel() // most of it is waiting
	const numbers, hold = 6, time.Second
	var pool []string
	for i := range numbers {
		pool = append(pool, fmt.Sprintf(`"+4822111000%d"`, i))
	}
	s := newSystem(t, 3, fmt.Sprintf(`workspaces:
  - name: shop
    timezone: Europe/Warsaw
    currency: EUR
    country: PL
    pepper: not-a-secret
    keys: [{name: site, public: pk_shop, origins: ["https://shop.example"]}]
    pools: [{name: site, numbers: [%s], hold: %s}]
`, strings.Join(pool, ", "), hold))
	const origin = "https://shop.example"
	s.awaitNumbers(origin)
	first := newAddress("http://" + s.addr.HTTP)
	cmd, addr := s.startCollector()
	second := newAddress(addr)

	type told struct {
		visitor, number string
		asked, heard    time.Time
	}
	var mu sync.Mutex
	var all []told
	answers := map[int]int{}
	ctx, stop := context.WithCancel(t.Context())
	var visitors sync.WaitGroup
	for v := range 20 {
		visitors.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(v), 1))
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("v%d-%d", v, n/5)
				url := first.get()
				if rnd.IntN(2) == 0 {
					url = second.get()
				}
				asked := time.Now()
				ask, cancel := context.WithTimeout(ctx, 3*time.Second)
				status, number, err := askNumber(ask, url, origin, name)
				cancel()
				mu.Lock()
				if err == nil {
					answers[status]++
				}
				if err == nil && number != "" {
					all = append(all, told{name, number, asked, time.Now()})
				}
				mu.Unlock()
				select {
				case <-ctx.Done():
				case <-time.After(time.Duration(rnd.IntN(700)) * time.Millisecond): // how long a visitor reads
				}
			}
		})
	}
	for round := range 2 {
		<-time.After(2 * time.Second) // some visitors' time
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		cmd, addr = s.startCollector()
		second.set(addr)
		<-time.After(time.Duration(2+round) * time.Second)
		// Longer than the session: the others take its pools over, and it does not know.
		if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		<-time.After(9 * time.Second)
		if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	<-time.After(2 * time.Second)
	stop()
	visitors.Wait()

	leases := s.leases(t)
	for _, l := range leases {
		if i := slices.IndexFunc(leases, func(o lease) bool {
			return o.number == l.number && o.visitor != l.visitor && o.from < l.until && l.from < o.until
		}); i >= 0 {
			t.Errorf("%s was two visitors' at once: %+v and %+v", l.number, l, leases[i])
		}
	}
	rules := &event.Rules{Pepper: []byte("not-a-secret")}
	for _, a := range all {
		visitor := rules.Node("anonymous_id", a.visitor).ID
		// The lease may have been made for an earlier question, and must cover the answer.
		if !slices.ContainsFunc(leases, func(l lease) bool {
			return l.visitor == visitor && "+"+strings.TrimPrefix(l.number, "+") == a.number && l.from <= a.heard.UnixMilli() && l.until >= a.asked.Add(hold).UnixMilli()
		}) {
			t.Errorf("%s was told %s at %s, which no lease says", a.visitor, a.number, a.heard)
		}
	}
	if len(all) < 100 || answers[200] < 200 {
		t.Errorf("%d numbers told, answers %v: too few to mean anything", len(all), answers)
	}
	t.Logf("%d leases, %d numbers told, answers by status %v", len(leases), len(all), answers)
	out, code := s.command("numbers", "--workspace", "shop")
	if code != 0 || !strings.Contains(out, "site") {
		t.Errorf("throughline numbers: %d\n%s", code, out)
	}
	t.Log("\n" + out)
}

type lease struct {
	number      string
	visitor     event.NodeID
	from, until int64
}

// leases reads those that the events topic tells of.
func (s *system) leases(t *testing.T) (out []lease) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.addr.Brokers...), kgo.ConsumeTopics(pipelines.TopicEvents), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), pipelines.TopicEvents)
	if err != nil {
		t.Fatal(err)
	}
	var left int64
	ends.Each(func(o kadm.ListedOffset) { left += o.Offset })
	for left > 0 {
		fetches := client.PollFetches(t.Context())
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			left--
			e, err := event.Decode(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			if e.Type == event.NumberLease {
				out = append(out, lease{e.Lease.Number, e.Lease.Visitor, e.Time, e.Lease.Until})
			}
		})
	}
	return out
}
