// Package mapping runs the jq programs of sources: what was sent in, canonical events out.
//
// It promises that a program is bounded: in steps, in time, in what it puts out and in how deep and large its values grow, by limits
// that have names; that what comes out depends on what went in alone (there is no clock, no environment, no file and no other
// input); and that many may run at once. A fault says which file, line and expression it is in, as far as jq knows.
package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/itchyny/gojq"
)

// Limits of one run, that is of one item.
const (
	// MaxSteps is how many instructions of jq may be run; ten thousand are usual. It bounds lists that grow, too: each step adds one
	// value at most.
	MaxSteps = 3_000_000
	// maxMemory bounds what a run may take beside its steps: what texts, lists and comparisons cost, all together.
	maxMemory = 128 << 20
	// MaxTime is how long it may take, on a machine that is busy with other things.
	MaxTime = time.Second
	// MaxOutputs is how many values may come out.
	MaxOutputs = 10_000
	// MaxOutputBytes is how large they may be, together.
	MaxOutputBytes = 16 << 20
)

// ErrLimit is at the root of every error by a limit.
var ErrLimit = errors.New("the program goes beyond a limit")

// Variables is what a program is told beside its input, as $settings and so on. What does not apply is null.
type Variables struct {
	// Settings and Tables are what the workspace gave.
	Settings, Tables map[string]any
	// Source has name, source (the kind) and entry.
	Source map[string]any
	// Workspace has name, timezone, currency and country.
	Workspace map[string]any
	// Received is when it came, RFC 3339.
	Received string
	// Request has method, path, query and headers (lower case) of a webhook.
	Request any
	// Envelope is what stands around the item, Place where it stands.
	Envelope, Place any
	// Responses are, of a fetch and a pull, what the named requests were answered.
	Responses any
	// Page, Cursor, Window and Account are a pull's.
	Page, Cursor, Window, Account any
}

var names = []string{
	meterVariable, "$settings", "$tables", "$source", "$workspace", "$received", "$request", "$envelope", "$place", "$responses", "$page", "$cursor", "$window",
	"$account",
}

func (v *Variables) values(m *meter) []any {
	return []any{
		m, orNull(v.Settings), orNull(v.Tables), orNull(v.Source), orNull(v.Workspace), v.Received, v.Request, v.Envelope, v.Place, v.Responses, v.Page,
		v.Cursor, v.Window, v.Account,
	}
}

// orNull keeps a nil map from being an object.
func orNull(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

// Program is a compiled program. It is safe for concurrent use.
type Program struct {
	code *gojq.Code
	text Text
	// query is the program as it was written, to place a fault; defs are the definitions that stand before it.
	query *gojq.Query
	defs  []*gojq.FuncDef
	// shared are those of them that are the source's own.
	shared []*gojq.FuncDef
	trace  tracer
}

// Run gives what comes out for one input. The input and the variables are not changed.
func (p *Program) Run(ctx context.Context, input any, v *Variables) ([]any, error) {
	out, err := p.run(ctx, p.code, input, v)
	if err != nil {
		return nil, p.place(ctx, err, input, v)
	}
	return out, nil
}

func (p *Program) run(ctx context.Context, code *gojq.Code, input any, v *Variables) (out []any, err error) {
	defer func() {
		if r := recover(); r != nil { // gojq panics at values of types it does not know; one item must not end the process
			err = fmt.Errorf("jq: %v", r)
		}
	}()
	m := newMeter(ctx)
	defer m.end()
	iter := code.RunWithContext(m, input, v.values(m)...) //nolint:contextcheck // the meter is the context, and counts
	size := 0
	for {
		value, ok := iter.Next()
		if !ok {
			return out, nil
		}
		if failed, ok := value.(error); ok {
			var halt *gojq.HaltError
			if errors.As(failed, &halt) && halt.Value() == nil {
				return out, nil
			}
			return nil, failed
		}
		if len(out) == MaxOutputs {
			return nil, fmt.Errorf("%w: more than %d values come out", ErrLimit, MaxOutputs)
		}
		n, err := sizeOf(value, MaxOutputBytes-size)
		if err != nil {
			return nil, err
		}
		size += n
		out = append(out, value)
	}
}

// JSON is one value that came out, as JSON.
func JSON(v any) ([]byte, error) {
	if _, err := sizeOf(v, MaxOutputBytes); err != nil {
		return nil, err
	}
	return gojq.Marshal(v)
}

// Plain makes of a value what jq takes: of YAML, of Go.
func Plain(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return plainJSON(b)
}
