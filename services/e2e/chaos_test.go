package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/demo"
	"github.com/throughline-io/throughline/services/internal/embedded"
	"github.com/throughline-io/throughline/services/process"
)

var (
	chaosRounds = flag.Int("chaos-rounds", 3, "rounds of chaos; `make chaos N=` sets it")
	chaosNodes  = flag.Int("chaos-brokers", 1, "brokers; with several, one is killed at a time")
	chaosSeed   = flag.Uint64("chaos-seed", 1, "seed of the first round; the others follow")
)

// A round tells a tangled story of few people, whose every event moves many credits, and the plain one of a car dealer's clients.
const (
	chaosTangled = 250 // events
	chaosPeople  = 90
)

// chaos is the system as it is deployed: two processes of each service, a broker and a ClickHouse.
type chaos struct {
	*testing.T
	dir      string
	engines  *process.Engines
	admin    driver.Conn
	services []*service
}

// service is one process of a service, started as often as it ends.
type service struct {
	name   string
	args   []string
	at     *address // where its pages are
	log    string
	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan error
}

// TestChaos plays rounds of random stories into the system while its processes, the broker and ClickHouse are killed, stopped for
// longer than their sessions, restarted and made to refuse. At the end of each round the audit must find nothing, and every event that
// was acknowledged must stand once. Each round says its seed and what was done to it.
func TestChaos(t *testing.T) {
	t.Parallel() // most of it is waiting
	rounds := *chaosRounds
	if testing.Short() {
		rounds = min(rounds, 3)
	}
	c := newChaos(t, rounds)
	began, events, faults := time.Now(), 0, map[string]int{}
	for i := range rounds {
		seed := *chaosSeed + uint64(i)
		if !t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			round := *c
			round.T = t
			events += round.play(workspaceOf(i), seed, faults)
		}) {
			break // what is broken stays broken: the next rounds would say nothing
		}
	}
	t.Logf("%d rounds from seed %d, %d events, %v, %s", rounds, *chaosSeed, events, faults, time.Since(began).Round(time.Second))
}

// What the broker says of offsets may be old: what was worked off stays so, by what stands beside the stitcher's state and the rows.
func TestOffsetsThatGoBack(t *testing.T) {
	t.Parallel() // most of it is waiting
	c := newChaos(t, 1)
	rnd := rand.New(rand.NewPCG(1, 2))
	st := newStory(1, 2*chaosTangled)
	half := len(st.lines) / 2
	if err := c.tell("sk_"+workspaceOf(0), st.lines[:half], rnd); err != nil {
		t.Fatal(err)
	}
	c.drain()
	for _, kind := range []string{"stitcher", "loader"} {
		for _, gone := range []bool{false, true} {
			if err := c.oldOffsets(kind, gone, 0.4); err != nil {
				t.Fatal(kind, gone, err)
			}
			c.drain()
		}
	}
	if err := c.tell("sk_"+workspaceOf(0), st.lines[half:], rnd); err != nil {
		t.Fatal(err)
	}
	c.whole(workspaceOf(0), st.n)
	for kind, told := range map[string]string{"stitcher": "records come again that are worked off", "loader": "the group's offset has gone back"} {
		var logs []byte
		for _, s := range c.services {
			if strings.HasPrefix(s.name, kind) {
				log, err := os.ReadFile(s.log)
				if err != nil {
					t.Error(err)
				}
				logs = append(logs, log...)
			}
		}
		if !bytes.Contains(logs, []byte(told)) {
			t.Errorf("no %s has passed over anything", kind)
		}
	}
}

func workspaceOf(round int) string { return fmt.Sprintf("chaos%03d", round) }

func newChaos(t *testing.T, rounds int) *chaos {
	t.Helper()
	dir, err := os.MkdirTemp("", "throughline-chaos-")
	if err != nil {
		t.Fatal(err)
	}
	c := &chaos{T: t, dir: dir}
	free := "127.0.0.1:0"
	if c.engines, err = process.StartEngines(t.Context(), process.Wanted{
		Data: filepath.Join(dir, "engines"), KafkaListen: free, ClickHouseListen: free, ClickHouseHTTPListen: free, Users: schema.Users("", "", nil), KafkaNodes: *chaosNodes,
	}, zap.NewNop(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, s := range c.services {
			s.end()
		}
		c.engines.Stop()
		if t.Failed() {
			t.Logf("data and logs are kept in %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	const partitions = 6
	if err := errors.Join(process.Migrate(t.Context(), c.engines, nil, nil, nil), process.EnsureTopics(t.Context(), c.engines.Connect(), "", partitions)); err != nil {
		t.Fatal(err)
	}
	if c.admin, err = process.OpenClickHouse(c.engines, c.engines.Admin, c.engines.AdminPassword, 1); err != nil {
		t.Fatal(err)
	}
	workspaces := "workspaces:\n"
	for i := range rounds {
		workspaces += workspaceConfig(workspaceOf(i), "")
	}
	for _, kind := range []string{"collector", "stitcher", "loader"} {
		for i := range 2 {
			name := fmt.Sprintf("%s-%d", kind, i)
			config := filepath.Join(dir, name+".yaml")
			text := fmt.Sprintf("http: 127.0.0.1:0\ndata: %s\nkafka: {brokers: [%s], partitions: %d, transactional_id: %q}\nclickhouse: {addr: [%q]}\nmax_ahead: 8760h\nlog: {format: human, level: info}\n%s",
				filepath.Join(dir, name), strings.Join(c.engines.Brokers, ", "), partitions, name, c.engines.ClickHouse[0], workspaces)
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s := &service{name: name, args: []string{kind, "--config", config}, at: newAddress(""), log: filepath.Join(dir, name+".log")}
			c.services = append(c.services, s)
			if err := s.start(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

// start starts the process and waits for its address.
func (s *service) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(program, s.args...)
	errs, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(errs)
	lines.Buffer(nil, 1<<20)
	found := ""
	for found == "" && lines.Scan() {
		fmt.Fprintln(log, lines.Text())
		_, found, _ = strings.Cut(lines.Text(), " on http://")
	}
	s.cmd, s.exited = cmd, make(chan error, 1)
	go func(exited chan error) {
		for lines.Scan() {
			fmt.Fprintln(log, lines.Text())
		}
		log.Close()
		exited <- cmd.Wait()
	}(s.exited)
	if found == "" {
		return fmt.Errorf("%s ended: %w", s.name, <-s.exited)
	}
	s.at.set("http://" + found)
	return nil
}

// kill ends it with -9.
func (s *service) kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill %s, which has ended by itself: %w", s.name, err)
	}
	<-s.exited
	return nil
}

func (s *service) signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd.Process.Signal(sig)
}

func (s *service) end() {
	if s.cmd == nil || s.signal(syscall.SIGTERM) != nil {
		return
	}
	select {
	case <-s.exited:
	case <-time.After(30 * time.Second):
		_ = s.kill() // it is the end in any case
	}
}

// play is one round.
func (c *chaos) play(workspace string, seed uint64, faults map[string]int) int {
	c.Helper()
	rnd := rand.New(rand.NewPCG(seed, 0x6368616f73))
	st := newStory(seed, chaosTangled)
	dealer := demo.DefaultConfig(time.Now().AddDate(0, -2, 0))
	dealer.People, dealer.Seed = chaosPeople, seed
	var totals demo.Totals
	lines := st.lines
	for line := range demo.New(dealer).Lines(&totals) {
		lines = append(lines, string(line))
	}
	told := st.n + totals.Events
	rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- c.tell("sk_"+workspace, lines, rand.New(rand.NewPCG(seed, 2))) }()
	var done []string
	for range 3 + rnd.IntN(3) {
		<-time.After(time.Duration(rnd.IntN(1500)) * time.Millisecond) // a fault comes when it comes
		what, err := c.fault(rnd)
		if err != nil {
			c.Fatalf("%s: %v", what, err)
		}
		done = append(done, what)
		kind, _, _ := strings.Cut(what, " ")
		faults[kind]++
	}
	if err := <-sent; err != nil {
		c.Fatal(err)
	}
	sending := time.Since(began)
	c.whole(workspace, told)
	c.Logf("seed %d: %d events, %s; told in %s, whole after %s", seed, told, strings.Join(done, ", "), sending.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	return told
}

// whole waits until all is in ClickHouse, and sees that it is right.
func (c *chaos) whole(workspace string, told int) {
	c.Helper()
	c.drain()
	out, code := c.command("audit", "--json", "--workspace", workspace)
	var a audited
	if err := json.Unmarshal([]byte(out), &a); err != nil || code != 0 || a.Differences != 0 {
		c.Errorf("audit: exit %d, %v\n%.6000s", code, err, out)
	}
	if a.Events != told {
		c.Errorf("%d events stand, %d were acknowledged", a.Events, told)
	}
}

// tell sends a story in requests of any size to either collector, each until it is acknowledged, and some of them once more.
func (c *chaos) tell(key string, lines []string, rnd *rand.Rand) error {
	for len(lines) > 0 {
		n := min(1+rnd.IntN(20), len(lines))
		for range 1 + rnd.IntN(10)/9 {
			for end := time.Now().Add(2 * time.Minute); ; <-time.After(30 * time.Millisecond) {
				s := &system{t: nil}
				s.addr.HTTP = strings.TrimPrefix(c.services[rnd.IntN(2)].at.get(), "http://")
				status, a, err := s.post(key, lines[:n])
				if err == nil && status == http.StatusAccepted && len(a.Rejected) == 0 {
					break
				}
				if time.Now().After(end) || err == nil && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
					return fmt.Errorf("not accepted: HTTP %d %w %+v", status, err, a)
				}
			}
		}
		lines = lines[n:]
		<-time.After(time.Duration(rnd.IntN(60)) * time.Millisecond) // so that the telling lasts as long as the faults
	}
	return nil
}

// fault does one thing to the system and says what.
func (c *chaos) fault(rnd *rand.Rand) (string, error) {
	s := c.services[rnd.IntN(len(c.services))]
	switch k := rnd.IntN(22); {
	case k < 9:
		what := "kill " + s.name
		if err := s.kill(); err != nil {
			return what, err
		}
		<-time.After(time.Duration(rnd.IntN(800)) * time.Millisecond)
		return what, s.start()
	case k < 11:
		what := "stop " + s.name
		err := s.signal(syscall.SIGSTOP)
		<-time.After(12 * time.Second) // longer than the session: others take its work over
		return what, errors.Join(err, s.signal(syscall.SIGCONT))
	case k < 13:
		return "kill-broker", c.signal(syscall.SIGKILL, "kafka.Kafka")
	case k < 14:
		return "restart-broker", c.signal(syscall.SIGTERM, "kafka.Kafka")
	case k < 15:
		pid, err := c.process("kafka.Kafka")
		if err != nil {
			return "stop-broker", err
		}
		err = syscall.Kill(pid, syscall.SIGSTOP) // producers' buffers fill
		<-time.After(stopBrokerFor)
		return "stop-broker", errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)) // the same one, of several
	case k < 17:
		return "kill-clickhouse", c.signal(syscall.SIGKILL, "clickhouse")
	case k < 18:
		return "restart-clickhouse", c.signal(syscall.SIGTERM, "clickhouse")
	case k < 20:
		return "refuse-inserts", c.refuseInserts()
	default:
		kind := []string{"stitcher", "loader"}[rnd.IntN(2)]
		return "old-offsets " + kind, c.oldOffsets(kind, rnd.IntN(3) == 0, rnd.Float64())
	}
}

// oldOffsets has a group's offsets go back to a part of what they were, or be gone, as after a broker has restarted from half of its
// log: its members end, since a broker takes offsets from outside for an empty group only.
func (c *chaos) oldOffsets(kind string, gone bool, part float64) error {
	var members []*service
	for _, s := range c.services {
		if strings.HasPrefix(s.name, kind) {
			members = append(members, s)
			s.end()
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(c.engines.Brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	admin, group := kadm.NewClient(client), "throughline."+kind
	err = errors.New("not tried")
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); <-time.After(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if gone {
			if _, err = admin.DeleteGroup(ctx, group); errors.Is(err, kerr.GroupIDNotFound) {
				err = nil
			}
		} else {
			var at kadm.OffsetResponses
			if at, err = admin.FetchOffsets(ctx, group); err == nil {
				old := kadm.Offsets{}
				at.Each(func(o kadm.OffsetResponse) { old.AddOffset(o.Topic, o.Partition, int64(part*float64(o.At)), -1) })
				err = admin.CommitAllOffsets(ctx, group, old)
			}
		}
		cancel()
	}
	for _, s := range members {
		err = errors.Join(err, s.start())
	}
	return err
}

// signal sends a signal to an engine.
func (c *chaos) signal(sig syscall.Signal, engine string) error {
	pid, err := c.process(engine)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, sig)
}

// process is an engine's, any one of several brokers. It is known by its command line: that of the process which watches over a broker
// has the broker's behind its own.
func (c *chaos) process(engine string) (int, error) {
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		dirs, err := os.ReadDir("/proc")
		if err != nil {
			return 0, err
		}
		rand.Shuffle(len(dirs), func(i, j int) { dirs[i], dirs[j] = dirs[j], dirs[i] })
		for _, d := range dirs {
			pid, err := strconv.Atoi(d.Name())
			if err != nil {
				continue
			}
			line, err := os.ReadFile(filepath.Join("/proc", d.Name(), "cmdline"))
			if err != nil || !bytes.Contains(line, []byte(c.dir+"/engines/"+strings.ToLower(strings.Split(engine, ".")[0]))) {
				continue
			}
			name, _, _ := bytes.Cut(line, []byte{0})
			isBroker := bytes.Contains(line, []byte("kafka.Kafka")) && filepath.Base(string(name)) == "java"
			if engine == "clickhouse" || isBroker {
				return pid, nil
			}
		}
	}
	return 0, fmt.Errorf("no process of %s", engine)
}

// refuseInserts has ClickHouse refuse what the loader inserts for a moment, as it does with too many parts.
func (c *chaos) refuseInserts() error {
	var all []error
	for i, setting := range []string{"MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1", "RESET SETTING parts_to_throw_insert, parts_to_delay_insert"} {
		if i > 0 {
			<-time.After(2 * time.Second)
		}
		for _, table := range []string{"credits", "touches_log", "events_log", "channel_daily"} {
			var err error
			for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-time.After(100 * time.Millisecond) {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				err = c.admin.Exec(ctx, "ALTER TABLE throughline."+table+" "+setting)
				cancel()
				if err == nil {
					break
				}
			}
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// drain waits until all that was accepted is in ClickHouse.
func (c *chaos) drain() {
	c.Helper()
	var out string
	for end := time.Now().Add(3 * time.Minute); time.Now().Before(end); {
		var code int
		if out, code = c.command("status", "--wait", "60s"); code == 0 {
			return
		}
	}
	// What each waits for goes to its log, which is kept.
	for _, s := range c.services {
		_ = s.signal(syscall.SIGQUIT)
	}
	c.Fatalf("not drained:\n%s", out)
}

// stopBrokerFor is long enough to fill buffers and for a broker to be given up: of several, others have taken over when it goes on and
// believes to lead.
const stopBrokerFor = embedded.Session * 3 / 2

// command runs a command beside the system.
func (c *chaos) command(args ...string) (string, int) {
	c.Helper()
	cmd := exec.Command(program, append(args, "--config", filepath.Join(c.dir, "loader-0.yaml"))...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.Fatal(err)
	}
	if out.Len() == 0 {
		return errs.String(), cmd.ProcessState.ExitCode()
	}
	return out.String(), cmd.ProcessState.ExitCode()
}
