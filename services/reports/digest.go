package reports

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// What stands and what should stand are compared without either in memory. A cell is a key and whole-number quantities; its digest is the
// key's 64-bit hash times the quantities' sum, each with a factor of its own, modulo 2^64. Digests add up like the quantities
// do, so signed rows need not be brought together first. Cells fall into buckets by their hash. Equal sums in a bucket mean equal
// cells in it but for one chance in about 2^64.
const (
	buckets    = 1 << 14
	bucketBits = 14
	// factor is the constant of a linear congruential generator: odd, so that no quantity is lost.
	factor = 6364136223846793005
)

// digests is the sums by bucket, and how many cells or rows they are of.
type digests struct {
	sums  []uint64
	cells int
}

func newDigests() digests { return digests{sums: make([]uint64, buckets)} }

// join makes a key.
func join(dims ...string) string { return strings.Join(dims, separator) }

// separator is a control character, which no dimension of ours holds.
const separator = "\x1f"

func (d *digests) add(key string, values ...int64) {
	if !slices.ContainsFunc(values, func(v int64) bool { return v != 0 }) {
		return
	}
	h := hashOf(key)
	d.sums[bucketOf(h)] += h * mixed(values)
	d.cells++
}

func hashOf(key string) uint64 { return xxhash.Sum64String(key) }

func bucketOf(h uint64) uint64 { return h >> (64 - bucketBits) }

func mixed(values []int64) (sum uint64) {
	f := uint64(1)
	for _, v := range values {
		sum += f * uint64(v)
		f *= factor
	}
	return sum
}

// source is rows of ClickHouse as signed cells: of a table or of what it was filled from.
type source struct {
	from   string   // FROM and what follows it, but WHERE
	where  string   // beside the workspace
	key    []string // expressions of strings
	values []string // expressions of Int64
	date   string   // expression of the day; empty: it has none
}

func (s source) hash() string {
	return "xxHash64(arrayStringConcat([" + strings.Join(s.key, ", ") + "], '\x1f'))"
}

func (s source) condition(from, to string) string {
	c := "workspace = {workspace:String}"
	if s.where != "" {
		c += " AND " + s.where
	}
	if s.date != "" && from != "" {
		c += " AND " + s.date + " >= {from:Date}"
	}
	if s.date != "" && to != "" {
		c += " AND " + s.date + " <= {to:Date}"
	}
	return c
}

// digest is the statement that adds up its buckets.
func (s source) digest(from, to string) string {
	f, parts := uint64(1), []string{}
	for _, v := range s.values {
		parts = append(parts, fmt.Sprintf("toUInt64(%s) * toUInt64(%d)", v, f))
		f *= factor
	}
	h := s.hash()
	return fmt.Sprintf("SELECT bitShiftRight(%s, %d) AS audit_bucket, sum(%s * (%s)) FROM %s WHERE %s GROUP BY audit_bucket",
		h, 64-bucketBits, h, strings.Join(parts, " + "), s.from, s.condition(from, to))
}

// cells is the statement that lists the cells of some buckets.
func (s source) cells(from, to string, of []uint64) string {
	list := make([]string, len(of))
	for i, b := range of {
		list[i] = fmt.Sprint(b)
	}
	sums := make([]string, len(s.values))
	for i, v := range s.values {
		sums[i] = "toInt64(sum(" + v + "))"
	}
	return fmt.Sprintf("SELECT [%s] AS audit_cell, [%s] FROM %s WHERE %s AND bitShiftRight(%s, %d) IN (%s) GROUP BY audit_cell",
		strings.Join(s.key, ", "), strings.Join(sums, ", "), s.from, s.condition(from, to), s.hash(), 64-bucketBits, strings.Join(list, ", "))
}

// addSource adds the digests of a source, or with a sign of −1 takes them away.
func (d *digests) addSource(ctx context.Context, db DB, a Audit, s source, sign uint64) error {
	rows, err := db.Query(ctx, s.digest(a.From, a.To), a.arguments()...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var bucket, digest uint64
		if err := rows.Scan(&bucket, &digest); err != nil {
			return err
		}
		d.sums[bucket] += sign * digest
	}
	return rows.Err()
}
