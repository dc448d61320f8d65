package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Audit recomputes everything of a workspace from its raw events by the batch path and compares it, cell by cell, with
// what stands: the ledger, the rows beside it, the aggregates, and the CRM's own totals.
type Audit struct {
	Workspace string
	// Recompute is the batch path: the facts of all events at once.
	Recompute func([]*event.Event) *fact.Posting
	// Progress is told what is being done, if set.
	Progress func(what string)
}

// Check is one comparison.
type Check struct {
	Name string `json:"name"`
	// Compared is how many cells stood on either side.
	Compared    int `json:"compared"`
	Differences int `json:"differences"`
	// Rows names the first differences.
	Rows []string `json:"rows,omitempty"`
}

// AuditResult is what an audit found.
type AuditResult struct {
	Workspace   string        `json:"workspace"`
	Events      int           `json:"events"`
	Conflicts   int           `json:"conflicts"`
	Differences int           `json:"differences"`
	Checks      []Check       `json:"checks"`
	Took        time.Duration `json:"took_ns"`
}

// maxNamed bounds how many differences of one check are named.
const maxNamed = 20

// Run reads and compares. What is posted while it runs shows as differences: audit a system at rest.
func (a Audit) Run(ctx context.Context, db DB) (*AuditResult, error) {
	start := time.Now()
	result := &AuditResult{Workspace: a.Workspace}
	a.tell("reading raw events")
	events, err := a.events(ctx, db)
	if err != nil {
		return nil, err
	}
	result.Events = len(events)
	var conflicts uint64
	if err := db.QueryRow(ctx, `SELECT count() FROM throughline.conflicts WHERE workspace = ?`, a.Workspace).Scan(&conflicts); err != nil {
		return nil, fmt.Errorf("audit: count conflicts: %w", err)
	}
	result.Conflicts = int(conflicts)
	a.tell(fmt.Sprintf("recomputing %d events", len(events)))
	want := a.Recompute(events)
	for _, c := range checks {
		a.tell("comparing " + c.name)
		got, err := readCells(ctx, db, c.query, a.Workspace)
		if err != nil {
			return nil, fmt.Errorf("audit: %s: %w", c.name, err)
		}
		var expected cells
		if c.expect != nil {
			expected = c.expect(want)
		}
		check := compare(c.name, got, expected)
		if c.count != "" {
			var n uint64
			if err := db.QueryRow(ctx, c.count, a.Workspace).Scan(&n); err != nil {
				return nil, fmt.Errorf("audit: %s: %w", c.name, err)
			}
			check.Compared = int(n)
		}
		result.Checks = append(result.Checks, check)
		result.Differences += check.Differences
	}
	result.Took = time.Since(start)
	return result, nil
}

func (a Audit) tell(what string) {
	if a.Progress != nil {
		a.Progress(what)
	}
}

// events reads the raw events, one a key; those that the stitcher refused as conflicts are not among them.
func (a Audit) events(ctx context.Context, db DB) ([]*event.Event, error) {
	rows, err := db.Query(ctx, `SELECT wire FROM throughline.events WHERE workspace = ?`, a.Workspace)
	if err != nil {
		return nil, fmt.Errorf("audit: read events: %w", err)
	}
	defer rows.Close()
	var out []*event.Event
	for rows.Next() {
		var wire string
		if err := rows.Scan(&wire); err != nil {
			return nil, fmt.Errorf("audit: read events: %w", err)
		}
		e, err := event.Decode([]byte(wire))
		if err != nil {
			return nil, fmt.Errorf("audit: an event that was stored: %w", err)
		}
		out = append(out, &e)
	}
	return out, rows.Err()
}
