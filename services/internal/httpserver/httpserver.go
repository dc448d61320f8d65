// Package httpserver is one HTTP server with time-outs, health pages and an orderly end.
//
// It promises that a request whose headers were read is answered: when its context ends, the server takes no new
// connection and waits for the running requests up to ShutdownTimeout; those that are still running then are cut. A handler
// that panics answers 500 and takes nothing else down. It keeps nothing between requests.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// Server serves one handler at one address. New is inert; Listen takes the port, Run serves until its context ends.
type Server struct {
	config   Config
	log      *zap.Logger
	server   *http.Server
	listener net.Listener
	started  atomic.Bool
}

// New wraps the handler with recovery and metrics. A process with several servers gives each a registerer with a label of
// its own (prometheus.WrapRegistererWith), since one cannot take the same metric twice.
func New(config Config, handler http.Handler, registerer prometheus.Registerer, log *zap.Logger) (*Server, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	m, err := newMetrics(registerer)
	if err != nil {
		return nil, fmt.Errorf("http metrics: %w", err)
	}
	return &Server{config: config, log: log, server: &http.Server{
		Handler:           m.measure(recoverer(handler, m, log)),
		ReadHeaderTimeout: config.ReadHeaderTimeout,
		ReadTimeout:       config.ReadTimeout,
		WriteTimeout:      config.WriteTimeout,
		IdleTimeout:       config.IdleTimeout,
		MaxHeaderBytes:    config.MaxHeaderBytes,
		ErrorLog:          zap.NewStdLog(log),
	}}, nil
}

// Listen takes the address, so that Addr is known and a port in use is reported before anything else starts. Run calls
// it if nobody did.
func (s *Server) Listen(ctx context.Context) error {
	if s.listener != nil {
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.config.Addr, err)
	}
	s.listener = l
	return nil
}

// Addr is the address it listens on, with the port that the system chose; empty before Listen.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Run serves until ctx ends, then lets the running requests finish. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	if !s.started.CompareAndSwap(false, true) {
		return errors.New("http server: Run was called twice")
	}
	if err := s.Listen(ctx); err != nil {
		return err
	}
	// Requests are not cut by ctx: they end by themselves or by ShutdownTimeout.
	s.server.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(s.listener) }()
	s.log.Info("http listens", zap.String("addr", s.Addr()))
	select {
	case err := <-served:
		return fmt.Errorf("serve http on %s: %w", s.Addr(), err)
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.ShutdownTimeout)
	defer cancel()
	if err := s.server.Shutdown(deadline); err != nil {
		return errors.Join(fmt.Errorf("http requests ran longer than %s and were cut: %w", s.config.ShutdownTimeout, err), s.server.Close())
	}
	return nil
}
