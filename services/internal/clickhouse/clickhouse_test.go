package clickhouse

import (
	"slices"
	"testing"
)

func TestStatements(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"none", "\n\n", nil},
		{"one", "SELECT 1", []string{"SELECT 1"}},
		{"one that is ended", "SELECT 1;\n", []string{"SELECT 1"}},
		{"two", "SELECT 1;\n\nSELECT 2;", []string{"SELECT 1", "SELECT 2"}},
		{"a semicolon in a text", "SELECT 'a; b';\nSELECT 2;\n", []string{"SELECT 'a; b'", "SELECT 2"}},
		{"lines that end as on Windows", "SELECT 1;\r\nSELECT 2;\r\n", []string{"SELECT 1", "SELECT 2"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Statements(tc.text); !slices.Equal(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
