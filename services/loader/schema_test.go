package loader

import (
	"testing"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/internal/clickhouse"
)

func TestMigrateAgainChangesNothing(t *testing.T) {
	c := realClickHouse(t)
	const tables = "SELECT name, uuid FROM system.tables WHERE database = 'throughline' AND engine NOT IN ('View', 'MaterializedView') ORDER BY name"
	before := ask(t, tables)
	if err := clickhouse.Migrate(t.Context(), admin(c), schema.Migrations(), schema.Views()); err != nil {
		t.Fatal(err)
	}
	if after := ask(t, tables); after != before {
		t.Errorf("tables before:\n%s\nafter:\n%s", before, after)
	}
}
