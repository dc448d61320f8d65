package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// funnelIsNaive wants the funnel of every model, over days, whole months and both, to be what a join of the ledger with what stands gives:
// the aggregate behind it has seen every merge, split, reversal and restart of the story.
func (s *system) funnelIsNaive(t *testing.T, workspaces []string) {
	t.Helper()
	naive, err := os.ReadFile("testdata/naive_funnel.sql")
	if err != nil {
		t.Fatal(err)
	}
	const funnel = `SELECT channel, pipeline, step, count, round(average_hours, 6)
		FROM throughline.funnel(workspace = '{workspace}', from = '{from}', to = '{to}', model = '{model}')
		WHERE step NOT IN ('visits', 'inquiries') AND count != 0 ORDER BY channel, pipeline, step`
	rows := 0
	for _, workspace := range workspaces {
		for _, model := range []string{"first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "w_shaped"} {
			for _, days := range [][2]string{{"2020-01-01", "2027-12-31"}, {"2026-07-20", "2026-10-05"}, {"2026-08-13", "2026-08-30"}} {
				fill := strings.NewReplacer("{workspace}", workspace, "{model}", model, "{from}", days[0], "{to}", days[1]).Replace
				got, want := s.query(t, fill(funnel)), s.query(t, fill(string(naive)))
				if !slices.Equal(got, want) {
					t.Errorf("%s %s %v:\n%s\nby a join:\n%s", workspace, model, days, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				rows += len(want)
			}
		}
	}
	if rows < 100 {
		t.Errorf("only %d rows were compared", rows)
	}
}
