package mapping

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"time"
)

// meter counts the steps of a run: jq asks its context before each one. No timer is needed, and the same program on the same input
// ends at the same step everywhere.
type meter struct {
	context.Context
	steps    int
	deadline time.Time
	err      error
}

// stepsALook is how often the clock is looked at.
const stepsALook = 1 << 10

func newMeter(ctx context.Context) *meter {
	return &meter{Context: ctx, deadline: time.Now().Add(MaxTime)}
}

var ended = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is asked before every step.
func (m *meter) Done() <-chan struct{} {
	m.steps++
	switch {
	case m.err != nil:
	case m.steps > MaxSteps:
		m.err = fmt.Errorf("%w: it takes more than %d steps", ErrLimit, MaxSteps)
	case m.steps%stepsALook != 0:
	case m.Context.Err() != nil:
		m.err = m.Context.Err()
	case time.Now().After(m.deadline):
		m.err = fmt.Errorf("%w: it takes longer than %s", ErrLimit, MaxTime)
	}
	if m.err != nil {
		return ended
	}
	return nil
}

// Err is why it ended.
func (m *meter) Err() error { return m.err }

// MaxDepth is how deep a value that comes out may be nested.
const MaxDepth = 100

// sizeOf is about how many bytes a value has as JSON, counted up to a limit: a value may hold the same part a million times over and
// be small in memory.
func sizeOf(v any, limit int) (int, error) {
	n := 0
	if err := count(v, &n, limit, 0); err != nil {
		return 0, err
	}
	return n, nil
}

func count(v any, n *int, limit, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("%w: a value is nested deeper than %d", ErrLimit, MaxDepth)
	}
	switch v := v.(type) {
	case string:
		*n += len(v) + 2
	case json.Number:
		*n += len(v)
	case *big.Int:
		*n += v.BitLen()/3 + 1
	case []any:
		*n += 2
		for _, e := range v {
			if err := count(e, n, limit, depth+1); err != nil {
				return err
			}
			if *n++; *n > limit {
				break
			}
		}
	case map[string]any:
		*n += 2
		for k, e := range v {
			*n += len(k) + 4
			if err := count(e, n, limit, depth+1); err != nil {
				return err
			}
			if *n > limit {
				break
			}
		}
	default:
		*n += 4
	}
	if *n > limit {
		return fmt.Errorf("%w: more than %d bytes come out", ErrLimit, MaxOutputBytes)
	}
	return nil
}

func plainJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}
