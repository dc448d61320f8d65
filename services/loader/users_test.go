package loader

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/internal/clickhouse"
)

// twoTenants loads three rows of everything for anna and five for berta.
func twoTenants(t *testing.T) {
	t.Helper()
	b := newBatch()
	for name, n := range map[string]int{"anna": 3, "berta": 5} {
		for i := range n {
			b.events.add(visit(name, i), 3, 40)
			b.addPosting(posting(name, i))
		}
	}
	if err := testLoader(t, DefaultConfig()).insertAll(t.Context(), "tenants", b.tables()); err != nil {
		t.Fatal(err)
	}
}

// rows asks which of the tenants a table has rows of.
func rows(table string) string {
	return "SELECT DISTINCT workspace FROM throughline." + table + " WHERE workspace IN ('anna', 'berta') ORDER BY 1"
}

// answers asks for which of the tenants a report has an answer.
func answers(report, arguments string) string {
	one := func(name string) string {
		return "SELECT '" + name + "' AS w FROM throughline." + report + "(workspace = '" + name + "', " + arguments + ") HAVING count() > 0"
	}
	return "SELECT w FROM (" + one("anna") + " UNION ALL " + one("berta") + ") ORDER BY w"
}

// arguments are those of each report, after the workspace.
var arguments = map[string]string{
	"channel_roi":         "from = '2026-01-01', to = '2026-12-31', model = 'linear', date_basis = 'touch'",
	"compare":             "from = '2026-01-01', to = '2026-12-31', model = 'linear', date_basis = 'touch'",
	"channel_daily_as_of": "at = '2027-01-01', model = 'linear', date_basis = 'touch'",
	"ledger_changes":      "from_recorded = '2026-01-01', to_recorded = '2027-01-01', model = 'linear'",
	"funnel":              "from = '2026-01-01', to = '2026-12-31', model = 'linear'",
	"pipeline_speed":      "from = '2026-01-01', to = '2026-12-31'",
	"cohorts":             "by = 'first_touch'",
}

// keptBack are what no BI user may read.
var keptBack = []string{"events", "events_log", "identities", "identities_log", "dead_letters", "conflicts", "loads"}

// Every table and view that there is shows a BI user the rows of his workspace, or is kept back.
func TestBIUsersSeeTheirWorkspacesAlone(t *testing.T) {
	twoTenants(t)
	ask(t, "INSERT INTO throughline.dead_letters (workspace, received_at, key, source, code) VALUES ('anna', now64(3), 'crm', 'crm', 'bad_time'), ('berta', now64(3), 'crm', 'crm', 'bad_time')")
	ask(t, schema.StageOrder([]schema.Stage{{Workspace: "anna", Pipeline: "sales", Name: "new", Place: 1}, {Workspace: "berta", Pipeline: "sales", Name: "new", Place: 1}}))
	ask(t, schema.WorkspaceSettings([]schema.Settings{{Workspace: "anna", Timezone: "UTC", ChurnDays: 180, Offsets: schema.Offsets(time.UTC)}, {Workspace: "berta", Timezone: "UTC", ChurnDays: 180, Offsets: schema.Offsets(time.UTC)}}))
	names := strings.Fields(ask(t, "SELECT name FROM system.tables WHERE database = 'throughline' AND engine != 'MaterializedView' AND name NOT LIKE 'goose%' ORDER BY name"))
	if len(names) < 40 {
		t.Errorf("only %d tables and views are looked at", len(names))
	}
	for _, user := range []struct{ name, password, want string }{
		{schema.BI, "", "anna\nberta"},
		{"bi_anna", annaPassword, "anna"},
		{"bi_berta", bertaPassword, "berta"},
	} {
		for _, name := range names {
			t.Run(user.name+" reads "+name, func(t *testing.T) {
				query := rows(name)
				if of := arguments[name]; of != "" {
					query = answers(name, of)
				}
				kept := slices.Contains(keptBack, name)
				if kept {
					query = "SELECT count() FROM throughline." + name
				}
				got, err := askAs(t, user.name, user.password, query)
				if kept {
					if err == nil || !strings.Contains(err.Error(), "ACCESS_DENIED") {
						t.Errorf("%q, %v", got, err)
					}
					return
				}
				if err != nil || got != user.want {
					t.Errorf("%q, %v; want %q", got, err, user.want)
				}
			})
		}
	}
}

func TestWhatBIUsersMayNotDo(t *testing.T) {
	twoTenants(t)
	for _, user := range []struct{ name, password string }{{schema.BI, ""}, {"bi_anna", annaPassword}} {
		for _, tc := range []struct{ name, query, want string }{
			{"raw events", "SELECT count() FROM throughline.events", "ACCESS_DENIED"},
			{"raw events behind the view", "SELECT count() FROM throughline.events_log", "ACCESS_DENIED"},
			{"identities", "SELECT count() FROM throughline.identities", "ACCESS_DENIED"},
			{"identities behind the view", "SELECT count() FROM throughline.identities_log", "ACCESS_DENIED"},
			{"dead letters", "SELECT count() FROM throughline.dead_letters", "ACCESS_DENIED"},
			{"insert", "INSERT INTO throughline.credits (workspace) VALUES ('anna')", "ACCESS_DENIED"},
			{"drop", "DROP TABLE throughline.credits", "ACCESS_DENIED"},
			{"make a table", "CREATE TABLE throughline.x (a Int8) ENGINE = Memory", "ACCESS_DENIED"},
			{"read a file", "SELECT * FROM file('users.xml', 'LineAsString')", "ACCESS_DENIED"},
			{"ask another server", "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", "ACCESS_DENIED"},
			{"more memory", "SELECT 1 SETTINGS max_memory_usage = 0", "READONLY"},
			{"more time", "SELECT 1 SETTINGS max_execution_time = 301", "SETTING_CONSTRAINT_VIOLATION"},
			{"time without end", "SELECT 1 SETTINGS max_execution_time = 0", "SETTING_CONSTRAINT_VIOLATION"},
			{"more rows", "SELECT number FROM numbers(1000001)", "TOO_MANY_ROWS_OR_BYTES"},
			{"more rows by a setting", "SELECT 1 SETTINGS max_result_rows = 0", "READONLY"},
		} {
			t.Run(user.name+": "+tc.name, func(t *testing.T) {
				got, err := askAs(t, user.name, user.password, tc.query)
				// A limit that is met on the way is told at the end of the body.
				if err == nil || !strings.Contains(got+err.Error(), tc.want) {
					t.Errorf("%.300q, %v; want %s", got, err, tc.want)
				}
			})
		}
	}
}

func TestABIUserWithAWrongPasswordIsLetInNowhere(t *testing.T) {
	for _, password := range []string{"", "wrong", bertaPassword} {
		if got, err := askAs(t, "bi_anna", password, "SELECT 1"); err == nil || !strings.Contains(err.Error(), "AUTHENTICATION_FAILED") {
			t.Errorf("password %q: %q, %v", password, got, err)
		}
	}
}

// Programs ask over the native protocol.
func TestABIUserOverTheNativeProtocol(t *testing.T) {
	twoTenants(t)
	conn := connect(t, clickhouse.Config{Addr: []string{realClickHouse(t).Addr()}, Database: schema.Database, User: "bi_anna", Password: annaPassword})
	// The driver sends what is left of a deadline as a setting, which a read-only user may not change unless allowed.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var n uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM credits WHERE model = 'linear'").Scan(&n); err != nil || n != 6 {
		t.Errorf("%d, %v", n, err)
	}
}

// The writer reads and inserts; what is there it cannot change.
func TestTheWriterChangesNothing(t *testing.T) {
	twoTenants(t)
	if got, err := askAs(t, schema.Writer, writerPassword, "SELECT DISTINCT workspace FROM throughline.events WHERE workspace IN ('anna', 'berta') ORDER BY 1"); err != nil || got != "anna\nberta" {
		t.Errorf("%q, %v", got, err)
	}
	for _, query := range []string{
		"ALTER TABLE throughline.credits DELETE WHERE 1", "TRUNCATE TABLE throughline.credits", "DROP TABLE throughline.credits", "ALTER TABLE throughline.credits UPDATE revenue = 0 WHERE 1",
	} {
		if _, err := askAs(t, schema.Writer, writerPassword, query); err == nil || !strings.Contains(err.Error(), "ACCESS_DENIED") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// The embedded engine keeps its users in a file and makes none by SQL, but it knows whether a statement can be read.
func TestUsersInSQLCanBeRead(t *testing.T) {
	for _, u := range schema.Users("writer's", "", map[string]string{"o'hara": `pass\word`}) {
		for _, statement := range u.SQL() {
			if got := ask(t, "EXPLAIN AST "+statement); got == "" {
				t.Errorf("%s: no answer", statement)
			}
			if strings.Contains(statement, "writer's") || strings.Contains(statement, `pass\word`) {
				t.Errorf("a password stands in %s", statement)
			}
		}
	}
	stages := []schema.Stage{{Workspace: "o'hara", Pipeline: `back\slash`, Name: "new", Place: 1}, {Workspace: "o'hara", Pipeline: `back\slash`, Name: "won", Place: 2}}
	if got := ask(t, "EXPLAIN AST "+schema.StageOrder(stages)); got == "" {
		t.Error("the order of stages: no answer")
	}
}
