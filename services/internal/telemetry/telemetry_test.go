package telemetry

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestLines(t *testing.T) {
	rows := []struct {
		name, level string
		human       bool
		lines       int
	}{
		{"json from info on", "info", false, 2},
		{"json from debug on", "debug", false, 3},
		{"human from error on", "error", true, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			log := newLogger(row.level, row.human, zapcore.AddSync(&out))
			log.Debug("first")
			log.Info("second", zap.Duration("took", 1500*time.Millisecond))
			log.Error("third", zap.Int("n", 3))
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if len(lines) != row.lines {
				t.Fatalf("%d lines, want %d:\n%s", len(lines), row.lines, out.String())
			}
			last := lines[len(lines)-1]
			if !strings.Contains(last, "third") {
				t.Errorf("last line: %s", last)
			}
			if json.Valid([]byte(last)) == row.human {
				t.Errorf("human %t: %s", row.human, last)
			}
		})
	}
}

func TestEveryFaultIsReported(t *testing.T) {
	err := Config{Level: "loud", Format: "xml"}.Validate()
	if err == nil || !strings.Contains(err.Error(), `level: "loud"`) || !strings.Contains(err.Error(), `format: "xml"`) {
		t.Errorf("got %v", err)
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
	if _, err := NewLogger(Config{}); err == nil {
		t.Error("a logger without a level was made")
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if isTerminal(f) || isTerminal(&bytes.Buffer{}) {
		t.Error("taken for a terminal")
	}
}

func TestRegistryHasTheProcessOwnMetrics(t *testing.T) {
	families, err := NewRegistry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"go_goroutines": true, "process_start_time_seconds": true}
	for _, f := range families {
		delete(want, f.GetName())
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}
