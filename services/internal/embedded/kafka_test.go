package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap/zaptest"
)

// One broker of three goes away and comes back, again and again: what was acknowledged is there once.
func TestClusterLosesOneBrokerAtATime(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take half a minute, and none of it is ours to race")
	}
	ctx := context.Background()
	c, err := StartCluster(ctx, testConfig(t), 3, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Addrs()...), kgo.DefaultProduceTopic("t"), kgo.ConsumeTopics("t"), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(ctx, 3, -1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	const n = 900
	for i := range n {
		if i%(n/3) == n/6 {
			awaitReplicas(t, admin, 3)
			if err := syscall.Kill(c.PIDs()[i/(n/3)], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.ProduceSync(ctx, kgo.StringRecord(strconv.Itoa(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	awaitReplicas(t, admin, 3)
	seen := map[string]int{}
	for len(seen) < n {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
	}
	for v, times := range seen {
		if times != 1 {
			t.Errorf("record %s came %d times", v, times)
		}
	}
}

// awaitReplicas waits until every partition has so many replicas in sync.
func awaitReplicas(t *testing.T, admin *kadm.Client, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		topics, err := admin.ListTopics(context.Background(), "t")
		whole := err == nil
		for _, p := range topics["t"].Partitions {
			whole = whole && len(p.ISR) == n
		}
		if whole {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the replicas are not in sync after a minute: %v %+v", err, topics)
		}
	}
}

func TestFetch(t *testing.T) {
	if err := Fetch(context.Background(), EnginesDir(), os.Stderr); err != nil {
		t.Fatal(err)
	}
}

func TestKafkaSurvivesKill(t *testing.T) {
	ctx := context.Background()
	k, err := StartKafka(ctx, testConfig(t), zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Stop()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.DefaultProduceTopic("t"), kgo.ConsumeTopics("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopic(ctx, 3, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	const n = 1000
	for i := range n {
		if i == n/2 {
			if err := syscall.Kill(k.PID(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.ProduceSync(ctx, kgo.StringRecord(strconv.Itoa(i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]int{}
	for len(seen) < n {
		client.PollFetches(ctx).EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
	}
	for v, times := range seen {
		if times != 1 {
			t.Errorf("record %s came %d times", v, times)
		}
	}
}

// TestNothingIsLeftBehind kills a process that runs both engines, and waits for all of its children to go.
func TestNothingIsLeftBehind(t *testing.T) {
	if data := os.Getenv("THROUGHLINE_TEST_PARENT"); data != "" {
		parent(t, data)
		return
	}
	data := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestNothingIsLeftBehind$", "-test.v")
	cmd.Env = append(os.Environ(), "THROUGHLINE_TEST_PARENT="+data, "TMPDIR="+data) // it does not live to clean up
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(text.String(), "running\n") {
		n, err := out.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v: %s", err, text.String())
		}
	}
	if got := len(processesOf(t, data)); got < 3 {
		t.Fatalf("%d processes of the engines; expected ClickHouse, the watcher and the broker", got)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	eventually(t, "all engines have ended", func() bool { return len(processesOf(t, data)) == 0 })
}

func parent(t *testing.T, data string) {
	cfg := testConfig(t)
	cfg.Data = data
	if _, err := StartClickHouse(context.Background(), cfg, zaptest.NewLogger(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := StartKafka(context.Background(), cfg, zaptest.NewLogger(t)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stdout, "running")
	<-time.After(time.Minute) // until we are killed
}

// processesOf finds the processes that have the directory in their command line.
func processesOf(t *testing.T, dir string) (pids []string) {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		line, err := os.ReadFile("/proc/" + d.Name() + "/cmdline")
		if err == nil && strings.Contains(string(line), dir) {
			pids = append(pids, d.Name())
		}
	}
	return pids
}
