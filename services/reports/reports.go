// Package reports answers from ClickHouse: the tables that people look at and the audit that proves them.
//
// It only reads, and it knows no Kafka. A report is a value that can show the SQL it runs. Nothing is cached: what is
// answered is what stands in ClickHouse at that moment, so two answers may differ if something was posted in between.
package reports

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// DB is what reports need of a ClickHouse connection.
type DB interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) driver.Row
}
