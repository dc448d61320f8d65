package loader

import (
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// table is rows as columns, each a slice of the type that its column takes.
type table struct {
	name    string
	columns []column
	n       int
}

type column struct {
	name   string
	values any
}

func (t *table) rows() int { return t.n }

// Conversions to what columns take.

func id(n event.NodeID) uuid.UUID { return uuid.UUID(n) }

// money is minor units as a decimal.
func money(minor int64) decimal.Decimal { return decimal.New(minor, -2) }

// share is millionths of a conversion.
func share(millionths int64) decimal.Decimal { return decimal.New(millionths, -6) }

// decimals are those that were asked for of late: one is two pieces of memory, and most are asked for again.
type decimals struct{ known map[int64]decimal.Decimal }

// mostDecimals is how many are kept.
const mostDecimals = 4096

func (d *decimals) of(n int64, make func(int64) decimal.Decimal) decimal.Decimal {
	v, ok := d.known[n]
	if !ok {
		if d.known == nil || len(d.known) >= mostDecimals {
			d.known = map[int64]decimal.Decimal{}
		}
		v = make(n)
		d.known[n] = v
	}
	return v
}

func day(d fact.Date) time.Time { return time.Unix(int64(d)*86_400, 0).UTC() }

// maybeDay is NULL for none.
func maybeDay(d fact.Date) *time.Time {
	if d == 0 {
		return nil
	}
	t := day(d)
	return &t
}

// moment is NULL for zero.
func moment(ms int64) *int64 {
	if ms == 0 {
		return nil
	}
	return &ms
}

// maybeID is NULL for zero.
func maybeID(n event.NodeID) *uuid.UUID {
	if n == (event.NodeID{}) {
		return nil
	}
	u := uuid.UUID(n)
	return &u
}
