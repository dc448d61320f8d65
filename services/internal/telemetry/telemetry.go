// Package telemetry makes the two things that every process reports with: a logger and a metrics registry.
//
// Log lines go to standard error one by one and are not buffered: a process that is killed has written all that it said.
// Metrics live in memory and are lost with the process; whoever scrapes them keeps them.
package telemetry

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Formats of log lines.
const (
	FormatAuto  = "auto"  // console on a terminal, JSON otherwise
	FormatHuman = "human" // aligned text
	FormatJSON  = "json"  // one object a line
)

// Config says what is logged and how.
type Config struct {
	// Level is debug, info, warn or error: what is below it is not written.
	Level string `yaml:"level"`
	// Format is auto, human or json.
	Format string `yaml:"format"`
}

// DefaultConfig logs from info on, for whoever reads it.
func DefaultConfig() Config { return Config{Level: "info", Format: FormatAuto} }

// Validate reports every fault.
func (c Config) Validate() error {
	var faults []error
	if _, err := zapcore.ParseLevel(c.Level); err != nil {
		faults = append(faults, fmt.Errorf("level: %q is none of debug, info, warn, error", c.Level))
	}
	switch c.Format {
	case FormatAuto, FormatHuman, FormatJSON:
	default:
		faults = append(faults, fmt.Errorf("format: %q is none of %s, %s, %s", c.Format, FormatAuto, FormatHuman, FormatJSON))
	}
	return errors.Join(faults...)
}

// NewLogger writes to standard error.
func NewLogger(c Config) (*zap.Logger, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	human := c.Format == FormatHuman || c.Format == FormatAuto && isTerminal(os.Stderr)
	return newLogger(c.Level, human, zapcore.Lock(os.Stderr)), nil
}

func newLogger(level string, human bool, out zapcore.WriteSyncer) *zap.Logger {
	l, err := zapcore.ParseLevel(level)
	if err != nil {
		l = zapcore.InfoLevel // Validate refused it before; a logger is worth more than a second refusal
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.TimeKey, encoding.EncodeTime = "time", zapcore.RFC3339NanoTimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if human {
		encoding.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	return zap.New(zapcore.NewCore(encoder, out, l), zap.ErrorOutput(out))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// NewRegistry has the runtime's and the process's own metrics registered.
func NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}
