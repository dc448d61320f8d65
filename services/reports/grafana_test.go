package reports

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/throughline-io/throughline/services/internal/clickhouse"
)

type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct{ Name, Query, Type string }
	}
	Panels []struct {
		Title   string
		Targets []struct{ RawSQL, Expr string }
	}
}

var metric = regexp.MustCompile(`throughline_(collector|stitcher|loader|reports)_([a-z_]+?)(_bucket)?[{\[)]`)

// Every panel's query runs on the engine as the BI user, and every metric that a panel asks for is one of a service.
func TestDashboards(t *testing.T) {
	s := serve(t)
	files, err := filepath.Glob("../../deploy/grafana/dashboards/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v: %d dashboards", err, len(files))
	}
	bi, err := clickhouse.Open(s.bi)
	if err != nil {
		t.Fatal(err)
	}
	defer bi.Close()
	run := func(t *testing.T, sql string) {
		t.Helper()
		rows, err := bi.Query(t.Context(), sql)
		if err != nil {
			t.Errorf("%v\n%s", err, sql)
			return
		}
		for rows.Next() {
		}
		if err := rows.Err(); err != nil {
			t.Errorf("%v\n%s", err, sql)
		}
	}
	queries, exprs := 0, 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		values := []string{"$__fromTime", "toDateTime('2026-10-01 00:00:00', 'UTC')", "$__toTime", "toDateTime('2026-11-30 00:00:00', 'UTC')", "$workspace", "shop"}
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				run(t, v.Query)
				continue
			}
			first, _, _ := strings.Cut(v.Query, ",")
			values = append(values, "$"+v.Name, first)
		}
		for _, p := range d.Panels {
			t.Run(d.UID+"/"+p.Title, func(t *testing.T) {
				for _, target := range p.Targets {
					if target.RawSQL != "" {
						queries++
						run(t, strings.NewReplacer(values...).Replace(target.RawSQL))
						continue
					}
					exprs++
					found := metric.FindAllStringSubmatch(target.Expr, -1)
					if len(found) == 0 {
						t.Errorf("no metric of ours in %s", target.Expr)
					}
					for _, m := range found {
						if !named(t, m[1], m[2]) {
							t.Errorf("no metric %s of the %s", m[2], m[1])
						}
					}
				}
			})
		}
	}
	if queries < 15 || exprs < 8 {
		t.Errorf("only %d queries and %d expressions were looked at", queries, exprs)
	}
}

// named reports whether a service's code makes a metric of this name.
func named(t *testing.T, service, name string) bool {
	t.Helper()
	files, err := filepath.Glob("../" + service + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), `"`+name+`"`) {
			return true
		}
	}
	return false
}
