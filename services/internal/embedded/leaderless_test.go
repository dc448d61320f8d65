package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zaptest"
)

// A partition has no leader while a transaction ends: its broker stands still, and comes back over the connections that it had. Nobody but
// Endings sees that the coordinator has left its marker out.
func TestClusterEndsATransactionWhereNobodyLeads(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take half a minute, and none of it is ours to race")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	log, cfg := zaptest.NewLogger(t), testConfig(t)
	c, err := StartCluster(ctx, cfg, 3, log)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	p := newTransactions(t, log, c.Addrs()...)
	other, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...)) // the producer's connections are counted
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	admin := kadm.NewClient(other)
	everywhere := []int32{0, 1, 2} // of one replica each, on every broker one
	if _, err := admin.CreateTopic(ctx, int32(len(everywhere)), 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	missing := false
	transaction := func(i int, during func()) {
		t.Helper()
		p.transaction(ctx, t, i, everywhere, during)
	}
	await := func() {
		t.Helper()
		if missing, err = p.endings.Await(ctx, p.client); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 { // until all connections are made
		transaction(i, func() {})
		await()
	}
	described, err := admin.DescribeTransactions(ctx, "producer")
	if err != nil {
		t.Fatal(err)
	}
	still := described["producer"].Coordinator%3 + 1 // any broker but the coordinator
	var java int
	transaction(4, func() {
		java = brokerOf(t, cfg.Data, c, still)
		if err := syscall.Kill(java, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "a partition has no leader", func() bool { return leaderless(ctx, admin) == 1 })
	})
	if err := syscall.Kill(java, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	await()
	if !missing {
		t.Error("no marker was missing: the broker does it better now, and Endings can be simpler")
	}
	transaction(5, func() {})
	await()
	for _, id := range everywhere {
		for _, addr := range c.Addrs() {
			if err := checkTransactions(ctx, addr, id, 6, func(i int) bool { return i%2 == 0 }); err != nil {
				t.Errorf("partition %d: %v", id, err)
			}
		}
	}
}

// leaderless is how many partitions of the topic have no leader as any broker knows it; -1 if it cannot be told.
func leaderless(ctx context.Context, admin *kadm.Client) (n int) {
	topics, err := admin.ListTopics(ctx, "t")
	if err != nil {
		return -1
	}
	for _, p := range topics["t"].Partitions {
		if p.Leader < 0 {
			n++
		}
	}
	return n
}

// brokerOf is the process of a broker itself, not the one that watches over it.
func brokerOf(t *testing.T, data string, c *Cluster, id int32) int {
	t.Helper()
	for _, pid := range processesOf(t, filepath.Join(data, fmt.Sprintf("kafka-%d", id))+string(os.PathSeparator)) {
		if n, err := strconv.Atoi(pid); err == nil && n != c.PIDs()[id-1] {
			return n
		}
	}
	t.Fatalf("no process of broker %d", id)
	return 0
}
