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
	memory   int // charged
	deadline time.Time
	err      error
	// leave gives the place of a heavy run back; nil while it is a light one.
	leave func()
}

// stepsALook is how often the clock is looked at.
const stepsALook = 1 << 6

func newMeter(ctx context.Context) *meter {
	return &meter{Context: ctx, deadline: time.Now().Add(MaxTime)}
}

var ended = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done is asked before every step.
func (m *meter) Done() <-chan struct{} {
	m.steps++
	if m.steps == lightSteps {
		m.weigh()
	}
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

// charge is asked before a step that costs more than others. What it says ends the run, even where the program would catch it.
func (m *meter) charge(n int) error {
	if m.memory < lightMemory && m.memory+n >= lightMemory {
		m.weigh()
	}
	if m.err != nil {
		return m.err
	}
	if m.memory += n; m.memory > maxMemory || n < 0 {
		return m.stop(fmt.Sprintf("its values are larger than %d bytes", maxMemory))
	}
	return nil
}

// Gate bounds how many heavy runs there are at once: it waits for a place, and leave gives it back.
type Gate func(ctx context.Context) (leave func(), err error)

type gateKey struct{}

// WithGate lets runs ask for a place before they become heavy. Most never do: a place for each would make a run wait for others that
// have one and no processor.
func WithGate(ctx context.Context, g Gate) context.Context {
	return context.WithValue(ctx, gateKey{}, g)
}

// What a light run takes at most.
const (
	lightSteps = 20_000
	// LightBytes is what a light run may take of memory, its steps included.
	LightBytes  = 2 << 20
	lightMemory = LightBytes / 2
)

// weigh makes the run a heavy one.
func (m *meter) weigh() {
	g, ok := m.Value(gateKey{}).(Gate)
	if !ok || m.leave != nil || m.err != nil {
		return
	}
	began := time.Now()
	leave, err := g(m.Context)
	if err != nil {
		m.err = err
		return
	}
	m.leave = leave
	m.deadline = m.deadline.Add(time.Since(began)) // others' time is not its own
}

// end gives back what the run holds.
func (m *meter) end() {
	if m.leave != nil {
		m.leave()
	}
}

func (m *meter) left() int { return max(0, maxMemory-m.memory) }

func (m *meter) stop(why string) error {
	if m.err == nil {
		m.err = fmt.Errorf("%w: %s", ErrLimit, why)
	}
	return m.err
}

// chargeDeep charges all that a value holds; that of a text or a number costs what it takes.
func (m *meter) chargeDeep(v any, factor int) error {
	n, err := sizeWithin(v, m.left())
	if err != nil {
		return m.stop(err.Error())
	}
	return m.charge(factor * n)
}

const (
	// MaxDepth is how deep a value that comes out may be nested.
	MaxDepth = 100
	// deepest is how deep a value may be nested on the way.
	deepest = 1_000
)

// sizeOf is about how many bytes a value has as JSON, counted up to a limit: a value may hold the same part a million times over and
// be small in memory.
func sizeOf(v any, limit int) (int, error) {
	c := counter{limit: limit, element: 1, field: 4}
	err := c.count(v, MaxDepth)
	return c.n, err
}

// sizeWithin is about how many bytes a value takes in memory, were each of its parts its own.
func sizeWithin(v any, limit int) (int, error) {
	c := counter{limit: limit, element: slotBytes, field: fieldBytes}
	err := c.count(v, deepest)
	return c.n, err
}

type counter struct{ n, limit, element, field int }

func (c *counter) count(v any, depth int) error {
	if depth < 0 {
		return fmt.Errorf("%w: a value is nested too deep", ErrLimit)
	}
	switch v := v.(type) {
	case string:
		c.n += len(v) + 2
	case json.Number:
		c.n += len(v)
	case *big.Int:
		c.n += v.BitLen()/3 + 1
	case []any:
		c.n += 2
		for _, e := range v {
			c.n += c.element
			if err := c.count(e, depth-1); err != nil {
				return err
			}
		}
	case map[string]any:
		c.n += 2
		for k, e := range v {
			c.n += len(k) + c.field
			if err := c.count(e, depth-1); err != nil {
				return err
			}
		}
	default:
		c.n += 4
	}
	if c.n > c.limit {
		return fmt.Errorf("%w: a value is larger than %d bytes", ErrLimit, c.limit)
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
