package items

import (
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestFaultsOfAFormat(t *testing.T) {
	for _, row := range []struct{ name, format, want string }{
		{"unknown", `{format: yaml}`, `format: "yaml" is none of`},
		{"no way", `{format: json, items: "rows"}`, `items: "rows" is no way`},
		{"half a way", `{format: json, items: ".rows["}`, `is no way`},
		{"a way in a table", `{format: csv, items: ".[]", table: {positions: [a]}}`, `items: is for json, xml alone`},
		{"no encoding", `{format: text, encoding: klingon}`, `encoding: "klingon"`},
		{"no pattern", `{format: text, files: "["}`, `files: "[" is no pattern`},
		{"a table without columns", `{format: csv}`, `table: needs either headers, or positions`},
		{"a header and none", `{format: csv, table: {positions: [a], headers: [{columns: {a: A}}]}}`, `table: needs either`},
		{"a table of no table", `{format: json, table: {positions: [a]}}`, `table: is for csv, tsv and xlsx alone`},
		{"no delimiter", `{format: csv, table: {delimiter: ab, positions: [a]}}`, `table.delimiter: "ab"`},
		{"a delimiter of tsv", `{format: tsv, table: {delimiter: ",", positions: [a]}}`, `table.delimiter: is for csv alone`},
		{"no decimal sign", `{format: csv, table: {decimal: ";", positions: [a]}}`, `table.decimal: ";"`},
		{"an unknown number", `{format: csv, table: {numbers: [b], positions: [a]}}`, `table.numbers[0]: "b" is none of the columns`},
		{"an unknown optional", `{format: csv, table: {headers: [{columns: {a: A}, optional: [b]}]}}`, `table.headers[0].optional[0]: "b"`},
		{"all optional", `{format: csv, table: {headers: [{columns: {a: A}, optional: [a]}]}}`, `leaves no column`},
		{"an empty name", `{format: csv, table: {headers: [{columns: {a: ""}}]}}`, `table.headers[0].columns.a: has an empty name`},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := &Format{}
			if err := yaml.Unmarshal([]byte(row.format), f); err != nil {
				t.Fatal(err)
			}
			var all []string
			f.Validate(func(path, format string, args ...any) { all = append(all, path+": "+fmt.Sprintf(format, args...)) })
			if got := strings.Join(all, "\n"); !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
