// Package process is what a process of the system stands on: its logger and metrics, the engines that it runs or
// finds, topics and tables as they must be, an HTTP server, and services that are started again when they fail.
//
// It gives commands what lies behind services/internal, and knows no event. A service that fails is started again
// with a growing pause, for ever: what a service promises it keeps over its own restarts.
package process

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/services/internal/embedded"
	"github.com/throughline-io/throughline/services/internal/httpserver"
	"github.com/throughline-io/throughline/services/internal/telemetry"
)

// Main must be called first in main: a process that was started as an engine never returns from it.
func Main() {
	embedded.Main()
	TuneMemory()
}

// TuneMemory sets how often garbage is collected.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(gcLimit)
	}
}

// What passes through is garbage at once and what stays is small: collecting less often buys a tenth of the throughput. Beyond
// gcLimit, which keeps a service under 1 GiB, the collector works as hard as it must. GOGC and GOMEMLIMIT say otherwise.
const (
	gcPercent = 300
	gcLimit   = 960 << 20
)

// Logger makes the logger; level and format are those of the configuration.
func Logger(level, format string) (*zap.Logger, error) {
	return telemetry.NewLogger(telemetry.Config{Level: level, Format: format})
}

// Registry makes the metrics of a process.
func Registry() *prometheus.Registry { return telemetry.NewRegistry() }

// Pauses before a service is started again.
const (
	firstPause = 200 * time.Millisecond
	lastPause  = 10 * time.Second
	// wellAfter is how long a service must have run for the pause to begin anew.
	wellAfter = time.Minute
)

// Keep runs a service until ctx is done, and again after it failed.
func Keep(ctx context.Context, name string, log *zap.Logger, run func(context.Context) error) {
	pause := firstPause
	for ctx.Err() == nil {
		began := time.Now()
		err := run(ctx)
		if ctx.Err() != nil {
			if err != nil {
				log.Warn("service ended with an error", zap.String("service", name), zap.Error(err))
			}
			return
		}
		if time.Since(began) > wellAfter {
			pause = firstPause
		}
		log.Warn("service failed: starting it again", zap.String("service", name), zap.Error(err), zap.Duration("in", pause))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastPause)
	}
}

// Server is an HTTP server that listens already.
type Server struct{ *httpserver.Server }

// Listen takes an address for a process's pages: health, metrics, and what register adds. A port in use is
// ErrPortInUse.
func Listen(ctx context.Context, addr string, reg *prometheus.Registry, log *zap.Logger, register func(*http.ServeMux), checks ...func(context.Context) error) (*Server, error) {
	mux := http.NewServeMux()
	all := make([]httpserver.Check, len(checks))
	for i, c := range checks {
		all[i] = c
	}
	httpserver.HandleHealth(mux, reg, all...)
	if register != nil {
		register(mux)
	}
	s, err := httpserver.New(httpserver.DefaultConfig(addr), mux, reg, log)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	if err := s.Listen(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPortInUse, err)
	}
	return &Server{s}, nil
}

// ErrPortInUse says that an address is taken by another program.
var ErrPortInUse = embedded.ErrPortInUse

// IsPortInUse reports that an error is about a port that is taken.
func IsPortInUse(err error) bool { return errors.Is(err, ErrPortInUse) }
