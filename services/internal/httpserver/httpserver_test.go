package httpserver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap/zaptest"
)

// start runs a server on a free port and gives its address, a way to end it and what Run returned.
func start(t *testing.T, h http.Handler, change ...func(*Config)) (string, context.CancelFunc, <-chan error) {
	t.Helper()
	c := DefaultConfig("127.0.0.1:0")
	for _, f := range change {
		f(&c)
	}
	s, err := New(c, h, prometheus.NewRegistry(), zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(cancel)
	return "http://" + s.Addr(), cancel, done
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestHealth(t *testing.T) {
	var fault error
	mux, registry := http.NewServeMux(), prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "a_total", Help: "h"}))
	HandleHealth(mux, registry, func(context.Context) error { return nil }, func(context.Context) error { return fault })
	url, _, _ := start(t, mux)
	rows := []struct {
		name, path string
		fault      error
		status     int
		body       string
	}{
		{"alive", "/healthz", nil, 200, `"ok"`},
		{"alive though not ready", "/healthz", errors.New("kafka is away"), 200, `"ok"`},
		{"ready", "/readyz", nil, 200, `"ready"`},
		{"not ready", "/readyz", errors.New("kafka is away"), 503, `{"error":{"code":"not_ready","message":"kafka is away"}}`},
		{"metrics", "/metrics", nil, 200, "a_total 0"},
		{"nothing else", "/other", nil, 404, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			fault = row.fault
			status, body := get(t, url+row.path)
			if status != row.status || !strings.Contains(body, row.body) {
				t.Errorf("%d %s, want %d with %s", status, body, row.status, row.body)
			}
		})
	}
}

func TestPanicAnswers500AndTheServerGoesOn(t *testing.T) {
	url, _, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			panic("boom")
		case "/half":
			_, _ = io.WriteString(w, strings.Repeat("x", 8192)) // past the buffer, so the answer has begun
			panic("boom")
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	if status, body := get(t, url+"/panic"); status != 500 || !strings.Contains(body, `"code":"internal"`) {
		t.Errorf("%d %s", status, body)
	}
	res, err := http.Get(url + "/half")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looks whole")
	}
	if status, _ := get(t, url+"/"); status != http.StatusTeapot {
		t.Errorf("afterwards: %d", status)
	}
}

func TestShutdownLetsARunningRequestFinish(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	url, cancel, done := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-release
		if r.Context().Err() != nil {
			w.WriteHeader(http.StatusGone)
		}
	}))
	answered := make(chan int, 1)
	go func() {
		res, err := http.Get(url)
		if err != nil {
			answered <- 0
			return
		}
		_ = res.Body.Close()
		answered <- res.StatusCode
	}()
	<-entered
	cancel()
	addr := strings.TrimPrefix(url, "http://")
	for { // the port is given back before the running requests are waited for
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	close(release)
	if status := <-answered; status != 200 {
		t.Errorf("the running request got %d", status)
	}
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestShutdownCutsWhatRunsTooLong(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	url, cancel, done := start(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-release
	}), func(c *Config) { c.ShutdownTimeout = 10 * time.Millisecond })
	go func() {
		if res, err := http.Get(url); err == nil {
			_ = res.Body.Close()
		}
	}()
	<-entered
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "were cut") {
		t.Errorf("Run: %v", err)
	}
}

// TestConnectionsThatKeepUsWaitingAreCut opens a connection, says a part of a request and then nothing.
func TestConnectionsThatKeepUsWaitingAreCut(t *testing.T) {
	const short = 20 * time.Millisecond
	for _, row := range []struct {
		name, says string
		change     func(*Config)
	}{
		{"half-open: it says nothing", "", func(c *Config) { c.ReadHeaderTimeout = short }},
		{"slow headers", "GET / HTTP/1.1\r\nHost: x\r\n", func(c *Config) { c.ReadHeaderTimeout = short }},
		{"a slow body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nten bytes.", func(c *Config) { c.ReadTimeout = short }},
		{"idle after an answer", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", func(c *Config) { c.IdleTimeout = short }},
	} {
		t.Run(row.name, func(t *testing.T) {
			url, _, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					w.WriteHeader(http.StatusRequestTimeout)
				}
			}), row.change)
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, row.says); err != nil {
				t.Fatal(err)
			}
			if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(c); err != nil {
				t.Errorf("the connection was not ended: %v", err)
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	url, _, _ := start(t, http.NewServeMux())
	s, err := New(DefaultConfig(strings.TrimPrefix(url, "http://")), http.NewServeMux(), prometheus.NewRegistry(), zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), "listen on 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
	if s.Addr() != "" {
		t.Errorf("address %q without a listener", s.Addr())
	}
}

func TestRequestsAreCountedByStatus(t *testing.T) {
	registry := prometheus.NewRegistry()
	m, err := newMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	h := m.measure(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	for _, verb := range []string{"GET", "POST", "BREW"} {
		r, err := http.NewRequestWithContext(t.Context(), verb, "/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		h.ServeHTTP(discard{}, r)
	}
	if n := testutil.CollectAndCount(m.seconds); n != 3 {
		t.Errorf("%d series, want GET, POST and other", n)
	}
	if _, err := newMetrics(registry); err == nil {
		t.Error("the same metrics were registered twice")
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestEveryFaultIsReported(t *testing.T) {
	err := Config{Addr: "nowhere"}.Validate()
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{`addr: "nowhere"`, "read_header_timeout", "read_timeout", "write_timeout", "idle_timeout", "shutdown_timeout", "max_header_bytes"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}
