package schema

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"
)

func sql(t *testing.T, files fs.FS) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

var (
	table   = regexp.MustCompile(`(?s)CREATE TABLE (\w+)\n.*?;\n`)
	view    = regexp.MustCompile(`CREATE OR REPLACE VIEW (\w+) AS`)
	derived = regexp.MustCompile(`CREATE MATERIALIZED VIEW (\w+) TO (\w+) AS`)
)

// madeAnew are tables whose rows may come again: the last ones stand.
var madeAnew = map[string]bool{"stage_order": true, "workspace_settings": true, "loads": true}

// Every table says what it is and remembers its inserts: without the window a repeated one would count twice.
func TestEveryTableIsDescribedAndRemembersInserts(t *testing.T) {
	n, all := 0, sql(t, Migrations())
	for name, text := range all {
		for _, m := range table.FindAllStringSubmatch(text, -1) {
			n++
			if !strings.Contains(m[0], "\nCOMMENT '") {
				t.Errorf("%s: %s has no comment", name, m[1])
			}
			if !madeAnew[m[1]] && !strings.Contains(m[0], "non_replicated_deduplication_window") {
				t.Errorf("%s: %s forgets its inserts", name, m[1])
			}
		}
		for _, m := range derived.FindAllStringSubmatch(text, -1) {
			made := false
			for _, other := range all {
				made = made || strings.Contains(other, "CREATE TABLE "+m[2]+"\n")
			}
			if !made {
				t.Errorf("%s: no migration makes what %s fills", name, m[1])
			}
		}
	}
	if n < 13 {
		t.Errorf("only %d tables were looked at", n)
	}
}

// Whoever adds a view says whether BI users may read it.
func TestEveryViewIsReadableOrKeptBack(t *testing.T) {
	kept := map[string]bool{"events": true, "identities": true}
	readableTo := map[string]bool{}
	for _, name := range readable {
		readableTo[name] = true
	}
	n := 0
	for name, text := range sql(t, Views()) {
		for _, m := range view.FindAllStringSubmatch(text, -1) {
			n++
			if readableTo[m[1]] == kept[m[1]] {
				t.Errorf("%s: %s is in both lists or in none", name, m[1])
			}
		}
	}
	if n < 12 {
		t.Errorf("only %d views were looked at", n)
	}
}

// A table that BI users read and that holds rows has a filter; views have none of their own.
func TestEveryReadableTableIsFiltered(t *testing.T) {
	tables := map[string]bool{}
	for _, text := range sql(t, Migrations()) {
		for _, m := range table.FindAllStringSubmatch(text, -1) {
			tables[m[1]] = true
		}
	}
	users := Users("", "", map[string]string{"shop": "secret"})
	reader := users[len(users)-1]
	if reader.Name != "bi_shop" {
		t.Fatalf("the last user is %s", reader.Name)
	}
	for _, name := range readable {
		if _, ok := reader.Filters[Database+"."+name]; ok != tables[name] {
			t.Errorf("%s: table %v, filtered %v", name, tables[name], ok)
		}
	}
}

func TestNamesAreQuoted(t *testing.T) {
	got := StageOrder([]Stage{{Workspace: "o'hara", Pipeline: `a\b`, Name: "new", Place: 1}})
	if want := `["o\'hara","a\\\\b","new",1]`; !strings.Contains(got, want) {
		t.Errorf("%s is not in\n%s", want, got)
	}
}

func TestOffsets(t *testing.T) {
	warsaw, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		t.Fatal(err)
	}
	all := Offsets(warsaw)
	at := func(text string) int {
		m, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		for _, o := range all {
			if !o.Since.After(m) {
				last = o.Seconds
			}
		}
		return last
	}
	for text, want := range map[string]int{
		"1999-06-01T00:00:00Z": 3600, "2026-03-29T00:59:59Z": 3600, "2026-03-29T01:00:00Z": 7200, "2026-10-25T00:59:59Z": 7200, "2026-10-25T01:00:00Z": 3600,
		"2040-07-01T00:00:00Z": 7200,
	} {
		if got := at(text); got != want {
			t.Errorf("%s: %d s, want %d", text, got, want)
		}
	}
	if n := len(Offsets(time.UTC)); n != 1 {
		t.Errorf("UTC has %d offsets", n)
	}
}
