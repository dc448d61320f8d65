package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Cluster is several brokers on the loopback, each a process with a directory of its own: everything is kept by all of them and
// acknowledged by more than half. It is for tests: on one machine it makes nothing safer.
type Cluster struct{ nodes []*Kafka }

// Session is after how long without a sign of life a broker is given up, and its partitions are led elsewhere or not at all. One that was killed
// is not let in again sooner. Much less, and one that only waits for a processor is given up.
const Session = 6 * time.Second

// Brokers is one broker or several.
type Brokers interface {
	Addrs() []string
	Stop()
}

// StartBrokers starts one broker on the configured port, or a cluster.
func StartBrokers(ctx context.Context, cfg Config, n int, log *zap.Logger) (Brokers, error) {
	if n > 1 {
		return StartCluster(ctx, cfg, n, log)
	}
	return StartKafka(ctx, cfg, log)
}

// TestEngines ends a test on real engines where these are not fetched: it is skipped on a laptop, and fails under CI.
func TestEngines(t interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}) {
	t.Helper()
	err := Fetched(EnginesDir())
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("no engines: %v", err)
	default:
		t.Skipf("no engines: %v", err)
	}
}

// TestBrokers is how many brokers the tests on real engines are to run on: $THROUGHLINE_TEST_BROKERS, or one.
func TestBrokers() int {
	n, err := strconv.Atoi(os.Getenv("THROUGHLINE_TEST_BROKERS"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// StartCluster starts n brokers and waits until each answers.
func StartCluster(ctx context.Context, cfg Config, n int, log *zap.Logger) (*Cluster, error) {
	var controllers, addrs []string
	for range n {
		for _, to := range []*[]string{&controllers, &addrs} {
			addr, err := freePort(ctx, "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			*to = append(*to, addr)
		}
	}
	c := &Cluster{nodes: make([]*Kafka, n)}
	faults := make([]error, n)
	var all sync.WaitGroup
	for i := range n { // at once: a quorum needs more than half of them
		all.Go(func() {
			c.nodes[i], faults[i] = startNode(ctx, cfg, node{Dir: fmt.Sprintf("kafka-%d", i+1), ID: i + 1, Addr: addrs[i], Controllers: controllers}, log)
		})
	}
	all.Wait()
	if err := errors.Join(faults...); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// Addrs are host:port of the brokers.
func (c *Cluster) Addrs() (out []string) {
	for _, k := range c.nodes {
		out = append(out, k.addr)
	}
	return out
}

// PIDs are the processes that watch the brokers; killing one kills its broker.
func (c *Cluster) PIDs() (out []int) {
	for _, k := range c.nodes {
		out = append(out, k.PID())
	}
	return out
}

// Stop ends the brokers in order.
func (c *Cluster) Stop() {
	var all sync.WaitGroup
	for _, k := range c.nodes {
		if k != nil {
			all.Go(k.Stop)
		}
	}
	all.Wait()
}
