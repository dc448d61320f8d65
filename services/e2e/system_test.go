// Package e2e plays the whole system, as the program that is shipped, on real engines: the contract's worlds, random
// stories, kills, bad input and a second client. It has no promise of its own.
package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/throughline-io/throughline/services/internal/embedded"
	"github.com/throughline-io/throughline/services/process"
)

// program is the binary under test, built once.
var program string

func TestMain(m *testing.M) {
	process.Main() // the benchmarks run engines as children of this program
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "throughline-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "throughline")
	build := exec.Command("go", "build", "-o", program, "../../cmd/throughline")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	code := m.Run()
	for _, end := range atEnd {
		end()
	}
	return code
}

// system is one `throughline up` with its data directory. It is started as often as it is killed.
type system struct {
	t      *testing.T
	config string
	data   string
	cmd    *exec.Cmd
	exited chan error
	// brokers are those of a cluster beside it (embedded.TestBrokers); none: the system's own.
	brokers []string
	addr    struct {
		Brokers        []string `json:"brokers"`
		ClickHouseHTTP string   `json:"clickhouse_http"`
		HTTP           string   `json:"http"`
	}
}

// base is the configuration's part that is not workspaces: every port is the system's choice.
const base = `http: 127.0.0.1:0
data: %s
embedded: {kafka: "127.0.0.1:0", clickhouse: "127.0.0.1:0", clickhouse_http: "127.0.0.1:0"}
max_ahead: 8760h
kafka: {partitions: %d, brokers: [%s]}
log: {format: human, level: info}
`

// newSystem writes the configuration and starts the system; it is stopped when the test ends. A failing test keeps its data for
// a look.
func newSystem(t *testing.T, partitions int, workspaces string) *system {
	t.Helper()
	dir, err := os.MkdirTemp("", "throughline-e2e-data-")
	if err != nil {
		t.Fatal(err)
	}
	s := &system{t: t, data: filepath.Join(dir, "data"), config: filepath.Join(dir, "config.yaml")}
	stopBrokers := func() {}
	t.Cleanup(func() {
		s.stop()
		stopBrokers()
		if t.Failed() {
			t.Logf("data and logs are kept in %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if n := embedded.TestBrokers(); n > 1 {
		cluster, err := embedded.StartBrokers(t.Context(), embedded.Config{Data: filepath.Join(dir, "cluster"), Engines: embedded.EnginesDir()}, n, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		stopBrokers = cluster.Stop
		s.brokers = cluster.Addrs()
	}
	s.configure(partitions, workspaces)
	s.start()
	return s
}

func (s *system) configure(partitions int, workspaces string) {
	s.t.Helper()
	if err := os.WriteFile(s.config, []byte(fmt.Sprintf(base, s.data, partitions, strings.Join(s.brokers, ", "))+workspaces), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// start starts the program and waits until it is ready.
func (s *system) start() {
	s.t.Helper()
	log, err := os.OpenFile(s.config+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	if err := os.Remove(filepath.Join(s.data, "addresses.json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	s.cmd = exec.Command(program, "up", "--config", s.config)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.exited = make(chan error, 1)
	go func(cmd *exec.Cmd) { s.exited <- cmd.Wait() }(s.cmd)
	for end := time.Now().Add(2 * time.Minute); !s.ready(); <-time.After(50 * time.Millisecond) {
		select {
		case err := <-s.exited:
			s.exited <- err
			out, _ := os.ReadFile(s.config + ".log")
			s.t.Fatalf("up ended: %v\n%s", err, tail(out))
		default:
		}
		if time.Now().After(end) {
			out, _ := os.ReadFile(s.config + ".log")
			s.t.Fatalf("up is not ready after 2 minutes\n%s", tail(out))
		}
	}
}

func (s *system) ready() bool {
	b, err := os.ReadFile(filepath.Join(s.data, "addresses.json"))
	if err != nil || json.Unmarshal(b, &s.addr) != nil || s.addr.HTTP == "" {
		return false
	}
	res, err := http.Get("http://" + s.addr.HTTP + "/readyz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func tail(b []byte) []byte { return b[max(0, len(b)-4000):] }

// kill ends the whole process tree with -9: the program, and the engines before they notice that it is gone.
func (s *system) kill() {
	s.t.Helper()
	tree := s.processes()
	if err := s.cmd.Process.Kill(); err != nil {
		s.t.Fatal(err)
	}
	for _, pid := range tree {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			s.t.Fatal(err)
		}
	}
	if len(s.brokers) == 0 && len(tree) < 3 { // with brokers of its own beside it, ClickHouse alone
		s.t.Fatalf("%d processes beside the program; expected ClickHouse, the broker and its watcher", len(tree))
	}
	<-s.exited
}

// processes are those of the engines: they have the data directory in their command line.
func (s *system) processes() (pids []int) {
	s.t.Helper()
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil || pid == s.cmd.Process.Pid {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", d.Name(), "cmdline"))
		if err == nil && bytes.Contains(line, []byte(s.data+"/")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *system) stop() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return // it has ended
	}
	select {
	case <-s.exited:
	case <-time.After(time.Minute):
		s.t.Error("up did not end within a minute of SIGTERM")
		_ = s.cmd.Process.Kill()
	}
}

// command runs a command of the program beside the running system.
func (s *system) command(args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.Command(program, append(args, "--config", s.config)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	if err != nil && out.Len() == 0 {
		s.t.Fatalf("%v: %v: %s", args, err, errs.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// drainTime is how long a system may take for all that it holds: every broker of a cluster writes all of it, with the same processors.
func drainTime(brokers int) string { return (time.Duration(brokers) * 2 * time.Minute).String() }

// drain waits until all that was accepted is in ClickHouse.
func (s *system) drain() {
	s.t.Helper()
	if out, code := s.command("status", "--wait", drainTime(embedded.TestBrokers())); code != 0 {
		// What it is waiting for goes to its log, which is kept.
		if err := s.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
			s.t.Error(err)
		}
		<-s.exited
		s.t.Fatalf("not drained:\n%s", out)
	}
}

// audited is the part of `audit --json` that tests look at.
type audited struct {
	Differences int `json:"differences"`
	Events      int `json:"events"`
	Workspaces  []struct {
		Workspace string `json:"workspace"`
		Events    int    `json:"events"`
		Conflicts int    `json:"conflicts"`
		Checks    []struct {
			Name        string   `json:"name"`
			Compared    int      `json:"compared"`
			Differences int      `json:"differences"`
			Rows        []string `json:"rows"`
		} `json:"checks"`
	} `json:"workspaces"`
}

func (s *system) audit() audited {
	s.t.Helper()
	out, _ := s.command("audit", "--json", "--at-once", "50") // in parts, small as the stories are
	var a audited
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	return a
}

// auditClean fails the test with the rows that differ.
func (s *system) auditClean() audited {
	s.t.Helper()
	a := s.audit()
	for _, w := range a.Workspaces {
		for _, c := range w.Checks {
			for _, row := range c.Rows {
				s.t.Errorf("audit %s: %s: %s", w.Workspace, c.Name, row)
			}
		}
	}
	if a.Differences != 0 {
		s.t.Fatalf("audit: %d differences", a.Differences)
	}
	return a
}

// query asks ClickHouse as the BI user and returns rows of tab-separated values.
func (s *system) query(t *testing.T, sql string) []string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+s.addr.ClickHouseHTTP+"/", strings.NewReader(sql))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("throughline_bi", "")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: HTTP %d %v: %s", sql, res.StatusCode, err, b)
	}
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// answer is what the collector answers.
type answer struct {
	Accepted, Duplicates int
	Rejected             []struct {
		Index   int
		Code    string
		Message string
	}
}

// post sends lines once.
func (s *system) post(key string, lines []string) (int, answer, error) {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if _, err := z.Write([]byte(strings.Join(lines, "\n"))); err != nil {
		return 0, answer{}, err
	}
	if err := z.Close(); err != nil {
		return 0, answer{}, err
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+s.addr.HTTP+"/v1/events", &body)
	if err != nil {
		return 0, answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, answer{}, err
	}
	defer res.Body.Close()
	var a answer
	err = json.NewDecoder(res.Body).Decode(&a)
	return res.StatusCode, a, err
}

// send posts lines in batches until all of them are acknowledged, as a sender does that keeps what was not.
func (s *system) send(key string, lines []string, batch int) {
	s.t.Helper()
	for len(lines) > 0 {
		n := min(batch, len(lines))
		end := time.Now().Add(time.Minute)
		for {
			status, a, err := s.post(key, lines[:n])
			if err == nil && status == http.StatusAccepted && len(a.Rejected) == 0 {
				break
			}
			if time.Now().After(end) || err == nil && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
				s.t.Fatalf("not accepted: HTTP %d %v %+v", status, err, a)
			}
			<-time.After(20 * time.Millisecond) // a sender's pause before it repeats
		}
		lines = lines[n:]
	}
}
