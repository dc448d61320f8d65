package reports

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/throughline-io/throughline/schemas/event"
)

const (
	// maxNamed is how many differences of one check are named.
	maxNamed = 20
	// maxBuckets is how many buckets that differ are looked at, of each check.
	maxBuckets = 32
)

// sample is the cells of the buckets of one check that are looked at.
type sample struct {
	buckets []uint64
	rest    int // buckets that differ beside these
	want    cells
}

// cells are quantities by the key that they stand under.
type cells map[string][]int64

func (c cells) add(key string, values []int64) {
	have := c[key]
	for len(have) < len(values) {
		have = append(have, 0)
	}
	for i, v := range values {
		have[i] += v
	}
	c[key] = have
}

func (a Audit) arguments() []any {
	out := []any{clickhouse.Named("workspace", a.Workspace)}
	if a.From != "" {
		out = append(out, clickhouse.Named("from", a.From))
	}
	if a.To != "" {
		out = append(out, clickhouse.Named("to", a.To))
	}
	return out
}

// expected recomputes all parts and returns the digests of what should stand, of every check; cells of the sampled buckets are kept.
func (a Audit) expected(ctx context.Context, p *parts, samples map[int]*sample) ([]digests, error) {
	checks := a.checks()
	out := make([]digests, len(checks))
	for i := range out {
		out[i] = newDigests()
	}
	done := 0
	err := p.each(ctx, func(events []*event.Event) error {
		done += len(events)
		a.tell(fmt.Sprintf("recomputing %d of %d events", done, p.events))
		facts := a.Recompute.Facts(events)
		for i, c := range checks {
			s := samples[i]
			if c.expect == nil || samples != nil && s == nil {
				continue
			}
			c.expect(facts, func(key string, values ...int64) {
				if samples == nil {
					out[i].add(key, values...)
				} else if slices.Contains(s.buckets, bucketOf(hashOf(key))) {
					s.want.add(key, values)
				}
			})
		}
		return nil
	})
	return out, err
}

// compare counts what should stand, and returns which buckets differ, if any do.
func (a Audit) compare(ctx context.Context, db DB, c check, want *digests, to *Check) (*sample, error) {
	to.Compared = want.cells
	difference := newDigests()
	copy(difference.sums, want.sums)
	for _, s := range c.want {
		if err := difference.addSource(ctx, db, a, s, 1); err != nil {
			return nil, err
		}
	}
	if err := difference.addSource(ctx, db, a, c.got, ^uint64(0)); err != nil {
		return nil, err
	}
	if c.expect == nil || c.manyToOne {
		var n uint64
		if err := db.QueryRow(ctx, "SELECT count() FROM "+c.got.from+" WHERE "+c.got.condition(a.From, a.To), a.arguments()...).Scan(&n); err != nil {
			return nil, err
		}
		to.Compared = int(n)
	}
	s := &sample{want: cells{}}
	for b, sum := range difference.sums {
		switch {
		case sum == 0:
		case len(s.buckets) < maxBuckets:
			s.buckets = append(s.buckets, uint64(b))
		default:
			s.rest++
		}
	}
	if len(s.buckets) == 0 {
		return nil, nil
	}
	return s, nil
}

// name looks at the cells of buckets that differ.
func (a Audit) name(ctx context.Context, db DB, p *parts, differing map[int]*sample, result *AuditResult) error {
	if len(differing) == 0 {
		return nil
	}
	a.tell("looking at what differs")
	if _, err := a.expected(ctx, p, differing); err != nil {
		return err
	}
	for i, c := range a.checks() {
		s := differing[i]
		if s == nil {
			continue
		}
		got := cells{}
		if err := a.readCells(ctx, db, c.got, s.buckets, got); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		for _, from := range c.want {
			if err := a.readCells(ctx, db, from, s.buckets, s.want); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		result.Checks[i].Differences, result.Checks[i].Rows = differences(got, s.want)
		result.Checks[i].Differences += s.rest
	}
	return nil
}

func (a Audit) readCells(ctx context.Context, db DB, s source, of []uint64, to cells) error {
	rows, err := db.Query(ctx, s.cells(a.From, a.To, of), a.arguments()...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key []string
		var values []int64
		if err := rows.Scan(&key, &values); err != nil {
			return err
		}
		to.add(join(key...), values)
	}
	return rows.Err()
}

// differences finds the cells that differ; a cell of nothing is as good as none.
func differences(got, want cells) (n int, rows []string) {
	keys := make([]string, 0, len(want))
	for k := range want {
		keys = append(keys, k)
	}
	for k := range got {
		if _, ok := want[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		g, w := got[k], want[k]
		if same(g, w) {
			continue
		}
		n++
		if len(rows) < maxNamed {
			rows = append(rows, fmt.Sprintf("%s: stands %v, recomputed %v", strings.ReplaceAll(k, separator, " | "), g, w))
		}
	}
	return n, rows
}

// same passes over quantities that are missing at the end, as zero.
func same(a, b []int64) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return slices.Equal(a, b[:len(a)]) && !slices.ContainsFunc(b[len(a):], func(v int64) bool { return v != 0 })
}
