package httpserver

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Config is the limits of one server.
type Config struct {
	// Addr is host:port; port 0 is one that the system chooses.
	Addr string
	// ReadHeaderTimeout is how long a client may take for its headers: against those that send a byte a minute.
	ReadHeaderTimeout time.Duration
	// ReadTimeout is how long a client may take for a whole request.
	ReadTimeout time.Duration
	// WriteTimeout is how long a request may take from its headers to the end of the answer.
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection is kept for the next request.
	IdleTimeout time.Duration
	// ShutdownTimeout is how long the running requests may go on after the end was asked for.
	ShutdownTimeout time.Duration
	// MaxHeaderBytes bounds the headers.
	MaxHeaderBytes int
}

// DefaultConfig takes 16 MiB from a slow line and gives a report a minute.
func DefaultConfig(addr string) Config {
	return Config{
		Addr:              addr,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       120 * time.Second,
		ShutdownTimeout:   20 * time.Second,
		MaxHeaderBytes:    64 << 10,
	}
}

// Validate reports every fault.
func (c Config) Validate() error {
	var faults []error
	if _, port, err := net.SplitHostPort(c.Addr); err != nil || port == "" {
		faults = append(faults, fmt.Errorf("addr: %q is not host:port", c.Addr))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"read_header_timeout", c.ReadHeaderTimeout}, {"read_timeout", c.ReadTimeout}, {"write_timeout", c.WriteTimeout},
		{"idle_timeout", c.IdleTimeout}, {"shutdown_timeout", c.ShutdownTimeout},
	} {
		if d.value <= 0 {
			faults = append(faults, fmt.Errorf("%s: %s is not positive: without it a client may hold a connection for ever", d.name, d.value))
		}
	}
	if c.MaxHeaderBytes <= 0 {
		faults = append(faults, fmt.Errorf("max_header_bytes: %d is not positive", c.MaxHeaderBytes))
	}
	return errors.Join(faults...)
}
