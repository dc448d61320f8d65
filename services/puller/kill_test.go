package puller

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/sources"
)

// expect is what the vendor has: every item of every page, of two accounts and the days of the window, and every deal that a hook named.
func expect(v *vendor, instances, deals int, days []string) map[string]bool {
	out := map[string]bool{}
	for i := range instances {
		for _, account := range []string{"a", "b"} {
			for _, day := range days {
				for page := 1; page <= v.pages; page++ {
					for n := range v.size {
						out[fmt.Sprintf("ads-%d s%s-%s-%d-%d", i, account, day, page, n)] = true
					}
				}
			}
		}
	}
	for n := range deals {
		out[fmt.Sprintf("ads-%d d%d", n%instances, n)] = true
	}
	return out
}

// settled waits until every pull has succeeded and no fetch is left.
func settled(t *testing.T, c child, set *sources.Set, within time.Duration) *Status {
	t.Helper()
	var s *Status
	for end := time.Now().Add(within); time.Now().Before(end); <-time.After(200 * time.Millisecond) {
		var err error
		if s, err = ReadStatus(t.Context(), []kgo.Opt{kgo.SeedBrokers(c.Brokers)}, c.Prefix, set); err != nil {
			t.Fatal(err)
		}
		open := s.Behind > 0
		for _, p := range s.Pulls {
			open = open || p.Last.IsZero() || p.Running
		}
		for _, f := range s.Fetches {
			open = open || f.Waiting > 0
		}
		if !open {
			return s
		}
	}
	t.Fatalf("not settled within %s: %s", within, asJSON(s))
	return nil
}

// check compares what Kafka has with what the vendor has.
func check(t *testing.T, c child, v *vendor, set *sources.Set, deals, most int) {
	t.Helper()
	var days []string
	w := set.Instances[0].Source.Entries[0].Pull.Window
	zone, err := windowZone(set.Instances[0], w)
	if err != nil {
		t.Fatal(err)
	}
	last := lastDay(w, time.Now(), zone)
	for _, part := range chunks(firstDay(w, last, "", ""), last, 1) {
		days = append(days, part.from.Format(dayForm))
	}
	want := expect(v, c.Instances, deals, days)
	got := committed(t, c.Brokers, c.Prefix, testPartitions)
	missing, twice, foreign := 0, 0, 0
	for id := range want {
		if got[id] == 0 {
			if missing++; missing < 5 {
				t.Errorf("%s is missing", id)
			}
		}
	}
	for id, n := range got {
		switch {
		case !want[id]:
			if foreign++; foreign < 5 {
				t.Errorf("%s is nowhere at the vendor's", id)
			}
		case n > 1:
			twice++
		}
		if n > most {
			t.Errorf("%s came %d times", id, n)
		}
	}
	t.Logf("%d events, %d missing, %d came again with the same id; the vendor: %v", len(got), missing, twice, v.counts)
	if v.counts["invalid"] > 0 {
		t.Errorf("a refresh token that the vendor had taken back was shown %d times", v.counts["invalid"])
	}
}

// TestKilledInATransaction kills the process with -9 between what it wrote and the end of its transaction, and behind its end. The next
// one pulls what is missing; nothing is in Kafka twice, as each part of the pull is one transaction.
func TestKilledInATransaction(t *testing.T) {
	v := newVendor(t, 3, 20)
	c := child{Definition: v.definition(), Prefix: "killed-in-", Instances: 1}
	c.Brokers = realKafka(t, c.Prefix, testPartitions)
	set, err := bindMany(c.Definition, c.Instances)
	if err != nil {
		t.Fatal(err)
	}
	hooks(t, c, 0, 30)
	for _, death := range []child{{DieAt: "produced", N: 1}, {DieAt: "produced", N: 4}, {DieAt: "committed", N: 3}} {
		one := c
		one.DieAt, one.N = death.DieAt, death.N
		cmd := one.start(t)
		if err := cmd.Wait(); err == nil || cmd.ProcessState.String() != "signal: killed" {
			t.Fatalf("it ended by itself: %v", cmd.ProcessState)
		}
	}
	c.start(t)
	settled(t, c, set, time.Minute)
	check(t, c, v, set, 30, 1)
}

// TestKilledAtRandom kills two processes in turn while they pull three instances and ask back for hooks that keep coming.
func TestKilledAtRandom(t *testing.T) {
	v := newVendor(t, 12, 25)
	c := child{Definition: v.definition(), Prefix: "killed-", Instances: 3}
	c.Brokers = realKafka(t, c.Prefix, testPartitions)
	set, err := bindMany(c.Definition, c.Instances)
	if err != nil {
		t.Fatal(err)
	}
	const kills, each = 6, 40
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	lives := []*exec.Cmd{c.start(t), c.start(t)}
	for n := range kills {
		hooks(t, c, n*each, (n+1)*each)
		pause := time.Duration(500+rnd.IntN(7000)) * time.Millisecond
		<-time.After(pause)
		t.Logf("kill %d after %s", n, pause)
		kill(lives[n%2])
		lives[n%2] = c.start(t)
	}
	settled(t, c, set, 2*time.Minute)
	check(t, c, v, set, kills*each, 1+kills)
}
