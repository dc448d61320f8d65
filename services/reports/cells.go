package reports

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// cells are values by the key that they stand under. A key is the dimensions, a value the quantities, in hundredths of what the
// contract counts in: whole numbers only, so that equal means equal.
type cells map[string][]int64

func (c cells) add(key string, values ...int64) {
	have := c[key]
	if have == nil {
		c[key] = slices.Clone(values)
		return
	}
	for i, v := range values {
		have[i] += v
	}
}

// join makes a key. No dimension holds the separator: control characters are no part of any of them that matter.
func join(dims ...string) string { return strings.Join(dims, "\x1f") }

// readCells runs a query of (key parts Array(String), quantities Array(Int64)).
func readCells(ctx context.Context, db DB, query, workspace string) (cells, error) {
	rows, err := db.Query(ctx, query, workspace)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := cells{}
	for rows.Next() {
		var key []string
		var values []int64
		if err := rows.Scan(&key, &values); err != nil {
			return nil, err
		}
		out.add(join(key...), values...)
	}
	return out, rows.Err()
}

// compare finds the cells that differ; a cell of nothing is as good as none.
func compare(name string, got, want cells) Check {
	c := Check{Name: name}
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
		if zero(g) && zero(w) {
			continue
		}
		c.Compared++
		if slices.Equal(g, w) {
			continue
		}
		c.Differences++
		if len(c.Rows) < maxNamed {
			c.Rows = append(c.Rows, fmt.Sprintf("%s: stands %v, recomputed %v", strings.ReplaceAll(k, "\x1f", " | "), g, w))
		}
	}
	return c
}

func zero(v []int64) bool { return !slices.ContainsFunc(v, func(x int64) bool { return x != 0 }) }

// millis is a moment as the queries print it.
func millis(ms int64) string { return fmt.Sprint(ms) }

// date is a day as ClickHouse prints it.
func date(days int32) string { return time.Unix(int64(days)*86_400, 0).UTC().Format(time.DateOnly) }
