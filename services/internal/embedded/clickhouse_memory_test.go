package embedded

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap/zaptest"
)

// What a kill between the log and the rows leaves behind, made by hand.
func TestARepeatedInsertIsNotLostToAKill(t *testing.T) {
	cfg := testConfig(t)
	start := func() *ClickHouse {
		c, err := StartClickHouse(context.Background(), cfg, zaptest.NewLogger(t))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	insert := func(c *ClickHouse, token, value string) {
		if got := c.query(t, "INSERT INTO t SETTINGS insert_deduplication_token = '"+token+"' VALUES ("+value+")"); got != "" {
			t.Fatal(got)
		}
	}
	c := start()
	c.query(t, "CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
	c.query(t, "SYSTEM STOP MERGES t")
	insert(c, "kept", "1")
	insert(c, "lost", "2")
	table := strings.Trim(c.query(t, "SELECT data_paths[1] FROM system.tables WHERE name = 't'"), "\n")
	c.Stop()
	if err := os.RemoveAll(filepath.Join(table, "all_2_2_0")); err != nil {
		t.Fatal(err)
	}
	c = start()
	defer func() { c.Stop() }()
	if got := c.query(t, "SELECT a FROM t ORDER BY a"); got != "1" {
		t.Fatalf("before the repetition: %s", got)
	}
	for range 2 {
		insert(c, "kept", "1")
		insert(c, "lost", "2")
		if got := c.query(t, "SELECT a FROM t ORDER BY a"); got != "1\n2" {
			t.Fatalf("after it: %s", got)
		}
	}
	// Merged rows are remembered too.
	c.query(t, "SYSTEM START MERGES t")
	c.query(t, "OPTIMIZE TABLE t FINAL")
	c.Stop()
	c = start()
	insert(c, "kept", "1")
	insert(c, "lost", "2")
	if got := c.query(t, "SELECT a FROM t ORDER BY a"); got != "1\n2" {
		t.Fatalf("after a merge: %s", got)
	}
}

func TestForgetLostInserts(t *testing.T) {
	for _, tc := range []struct {
		name  string
		parts string // directories
		logs  []string
		want  string // added to the last log
	}{
		{"all are there", "all_1_1_0 all_2_2_0", []string{"1\tall_1_1_0\tx\n1\tall_2_2_0\ty\n"}, ""},
		{"the last is not", "all_1_1_0 tmp_insert_all_2_2_0", []string{"1\tall_1_1_0\tx\n1\tall_2_2_0\ty\n"}, "2\tall_2_2_0\ty\n"},
		{"merged", "all_1_7_2", []string{"1\tall_1_1_0\tx\n1\tall_7_7_0\ty\n"}, ""},
		{"merged and mutated", "all_1_7_2_9", []string{"1\tall_1_1_0\tx\n"}, ""},
		{"another partition", "202601_1_7_2", []string{"1\t202602_1_1_0\tx\n"}, "2\t202602_1_1_0\tx\n"},
		{"taken back before", "", []string{"1\tall_1_1_0\tx\n2\tall_1_1_0\tx\n"}, ""},
		{"taken back and inserted again", "all_1_1_0", []string{"1\tall_1_1_0\tx\n2\tall_1_1_0\tx\n", "1\tall_1_1_0\tx\n"}, ""},
		{"in an older log", "all_2_2_0", []string{"1\tall_1_1_0\tx\n", "1\tall_2_2_0\ty\n"}, "2\tall_1_1_0\tx\n"},
		{"no log", "all_2_2_0", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			table := filepath.Join(dir, "store", "abc", "abcd-ef")
			logs := filepath.Join(table, "deduplication_logs")
			for _, d := range append(strings.Fields(tc.parts), "deduplication_logs") {
				if err := os.MkdirAll(filepath.Join(table, d), 0o750); err != nil {
					t.Fatal(err)
				}
			}
			last := ""
			for i, text := range tc.logs {
				last = filepath.Join(logs, "deduplication_log_"+strings.Repeat("9", i+1)+".txt")
				if err := os.WriteFile(last, []byte(text+"1\tall_9"), 0o600); err != nil { // the end of it was not written
					t.Fatal(err)
				}
			}
			if err := forgetLostInserts(dir); err != nil {
				t.Fatal(err)
			}
			if last == "" {
				return
			}
			got, err := os.ReadFile(last)
			if err != nil {
				t.Fatal(err)
			}
			if want := tc.logs[len(tc.logs)-1] + tc.want; string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
