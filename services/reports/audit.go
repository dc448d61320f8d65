package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Audit compares a workspace three ways: ledger and rows with what the batch path makes of the raw events, aggregates with the rows that
// they were filled from, and the ledger's totals with the CRM's.
//
// Its memory does not grow with the events. They are split by person: events with several identifiers say, in a union-find of 12 bytes an
// identifier, who belongs together, and every event is then put into one of many files, each of which is recomputed on its own (parts.go).
// What stands and what should are compared as sums of hashes in buckets (digest.go); only buckets that differ are looked at cell by
// cell. For 100 million events, a tenth of which join 5 million identifiers, that is 0.1 GB for the union-find, 0.1 GB for a million
// calls to pool numbers, 20 MB of buckets and, of 500 files, one of 200,000 events at a time, about 0.5 GB; the files take
// some 15 GB in the temporary directory. A person is never split: one with millions of events needs room for these.
type Audit struct {
	Workspace string
	// From and To are days, YYYY-MM-DD, both included: only what stands under one of these days is compared. Empty: everything.
	From, To  string
	Recompute Recompute
	// AtOnce is how many events are recomputed at once, about; DefaultAtOnce if zero.
	AtOnce int
	// Progress is told what is being done, if set.
	Progress func(what string)
}

// DefaultAtOnce is how many events are held at once.
const DefaultAtOnce = 200_000

// Recompute is the batch path, which sees leases and calls first and then the events of some people at a time.
type Recompute interface {
	// Hear takes a lease or a call in.
	Hear(*event.Event)
	// Match returns pairs of identifiers that matched calls link.
	Match() [][2]event.NodeID
	// Facts is what must stand of people and keys of spend, all of whose events these are.
	Facts([]*event.Event) *fact.Posting
}

// Check is one comparison.
type Check struct {
	Name string `json:"name"`
	// Compared is how many cells or rows should stand.
	Compared int `json:"compared"`
	// Differences is how many cells differ. Where there are very many, those beyond the first are counted by the bucket: at least so many.
	Differences int `json:"differences"`
	// Rows names the first differences.
	Rows []string `json:"rows,omitempty"`
}

// AuditResult is what an audit found.
type AuditResult struct {
	Workspace   string        `json:"workspace"`
	From        string        `json:"from,omitempty"`
	To          string        `json:"to,omitempty"`
	Events      int           `json:"events"`
	Conflicts   int           `json:"conflicts"`
	Differences int           `json:"differences"`
	Checks      []Check       `json:"checks"`
	Took        time.Duration `json:"took_ns"`
}

// Run reads and compares. What is posted while it runs shows as differences: audit a system at rest.
func (a Audit) Run(ctx context.Context, db DB) (*AuditResult, error) {
	start := time.Now()
	result := &AuditResult{Workspace: a.Workspace, From: a.From, To: a.To}
	var conflicts uint64
	if err := db.QueryRow(ctx, `SELECT count() FROM throughline.conflicts WHERE workspace = ?`, a.Workspace).Scan(&conflicts); err != nil {
		return nil, fmt.Errorf("audit: count conflicts: %w", err)
	}
	result.Conflicts = int(conflicts)
	p, err := a.split(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer p.close()
	result.Events = p.events
	for _, c := range a.checks() {
		result.Checks = append(result.Checks, Check{Name: c.name})
	}
	wants, err := a.expected(ctx, p, nil)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	differing := map[int]*sample{} // check → the buckets that are looked at
	for i, c := range a.checks() {
		a.tell("comparing " + c.name)
		check := &result.Checks[i]
		s, err := a.compare(ctx, db, c, &wants[i], check)
		if err != nil {
			return nil, fmt.Errorf("audit: %s: %w", c.name, err)
		}
		if s != nil {
			differing[i] = s
		}
	}
	if err := a.name(ctx, db, p, differing, result); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	for _, c := range result.Checks {
		result.Differences += c.Differences
	}
	result.Took = time.Since(start)
	return result, nil
}

func (a Audit) tell(what string) {
	if a.Progress != nil {
		a.Progress(what)
	}
}

// within reports that a day is asked for.
func (a Audit) within(day fact.Date) bool {
	if a.From == "" && a.To == "" {
		return true
	}
	d := date(int32(day))
	return (a.From == "" || a.From <= d) && (a.To == "" || d <= a.To)
}

// date is a day as ClickHouse prints it.
func date(days int32) string { return time.Unix(int64(days)*86_400, 0).UTC().Format(time.DateOnly) }
