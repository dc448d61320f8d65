package loader

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

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

// A system may have been made by any earlier program: whichever it was, the tables end as those of a new one.
func TestMigrateFromEveryEarlierSchema(t *testing.T) {
	c := realClickHouse(t)
	files, err := fs.Glob(schema.Migrations(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	const columns = `SELECT table, name, type, compression_codec FROM system.columns
		WHERE database = '%s' AND table NOT LIKE 'goose%%' AND table NOT LIKE '.inner%%' ORDER BY ALL`
	want := ask(t, fmt.Sprintf(columns, schema.Database))
	if n := strings.Count(want, "\n"); n < 200 {
		t.Errorf("only %d columns are compared", n)
	}
	for n := range files {
		t.Run(strings.TrimSuffix(files[n], ".sql"), func(t *testing.T) {
			earlier := fstest.MapFS{}
			for _, name := range files[:n+1] {
				text, err := fs.ReadFile(schema.Migrations(), name)
				if err != nil {
					t.Fatal(err)
				}
				earlier[name] = &fstest.MapFile{Data: text}
			}
			cfg := admin(c)
			cfg.Database = fmt.Sprintf("earlier_%d", n)
			if err := clickhouse.Migrate(t.Context(), cfg, earlier, fstest.MapFS{}); err != nil {
				t.Fatal(err)
			}
			if err := clickhouse.Migrate(t.Context(), cfg, schema.Migrations(), schema.Views()); err != nil {
				t.Fatal(err)
			}
			if got := ask(t, fmt.Sprintf(columns, cfg.Database)); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			ask(t, "DROP DATABASE "+cfg.Database)
		})
	}
}
