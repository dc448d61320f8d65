package stitcher

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

const worldsDir = "../e2e/testdata"

// TestConformanceWorlds plays the contract's worlds through random partitions and orders: the ledger must be the one that
// an independent implementation computed.
func TestConformanceWorlds(t *testing.T) {
	configured := conformanceWorkspaces(t)
	dirs, err := os.ReadDir(filepath.Join(worldsDir, "worlds"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		t.Run(d.Name(), func(t *testing.T) {
			ws := configured[d.Name()]
			if ws == nil {
				t.Fatal("no workspace of that name")
			}
			rules := Rules{Rules: rulesOf(ws), Config: ws.Canonical()}
			events := readEvents(t, filepath.Join(worldsDir, "worlds", d.Name(), "events.ndjson"), ws)
			want := readCSV(t, filepath.Join(worldsDir, "worlds", d.Name(), "credits.csv"))
			for seed := range uint64(5) {
				w := &world{rules: rules, events: events}
				c := newCluster(w, seed)
				c.play()
				c.close()
				if got := printLedger(c.sums); !slices.Equal(got, want) {
					t.Fatalf("seed %d: the ledger differs:\n%s", seed, firstDifference(got, want))
				}
			}
		})
	}
}

func conformanceWorkspaces(t *testing.T) map[string]*workspace.Workspace {
	text, err := os.ReadFile(filepath.Join(worldsDir, "workspaces.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Workspaces []workspace.Workspace `yaml:"workspaces"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]*workspace.Workspace{}
	for i := range file.Workspaces {
		w := &file.Workspaces[i]
		if err := w.Validate(); err != nil {
			t.Fatal(err)
		}
		out[w.Name] = w
	}
	return out
}

func rulesOf(w *workspace.Workspace) *journey.Rules {
	return &journey.Rules{
		Workspace: w.Name, Location: w.Location(), Lookback: w.Lookback.Milliseconds(), MaxTouches: w.MaxTouches, Minor: w.Minor,
		Static: w.Static(), Pool: w.PoolNumbers(), Classify: w.Classifier().Classify, Tuple: w.Classifier().Tuple,
	}
}

func readEvents(t *testing.T, path string, w *workspace.Workspace) (out []*event.Event) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := map[string]bool{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		e, _, bad := event.Parse(lines.Bytes(), w.EventRules(), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC), event.Options{})
		if bad != nil {
			t.Fatalf("%s: %v", lines.Text(), bad)
		}
		e.Workspace = "w"
		if !seen[e.Key()] { // the cluster repeats some itself, and the batch path takes each once
			seen[e.Key()] = true
			out = append(out, &e)
		}
	}
	return out
}

// printLedger writes the ledger as credits.csv has it.
func printLedger(s *sums) []string {
	total := map[string][3]int64{}
	for k, v := range s.ledger {
		day := func(d fact.Date) string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }
		b, t := k.booking, k.touch
		key := strings.Join([]string{
			b.Conversion.String(), k.model.String(), t.Channel, t.Source, t.Medium, t.Campaign, day(t.Date), day(b.LeadDate), day(b.SaleDate), day(b.BookedDate),
		}, ",")
		o := total[key]
		total[key] = [3]int64{o[0] + v[0], o[1] + v[1], o[2] + v[2]}
	}
	var out []string
	for k, v := range total {
		if v != [3]int64{} {
			out = append(out, fmt.Sprintf("%s,%s,%s,%s", k, decimal(v[0], 6), decimal(v[1], 2), decimal(v[2], 2)))
		}
	}
	slices.Sort(out)
	return out
}

func decimal(v int64, places int) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	s := fmt.Sprintf("%0*d", places+1, v)
	return sign + s[:len(s)-places] + "." + s[len(s)-places:]
}

func readCSV(t *testing.T, path string) []string {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rows[1:] {
		out = append(out, strings.Join(r, ","))
	}
	slices.Sort(out)
	return out
}

func firstDifference(got, want []string) string {
	var b strings.Builder
	n := 0
	for _, g := range got {
		if !slices.Contains(want, g) && n < 8 {
			fmt.Fprintln(&b, "  got      ", g)
			n++
		}
	}
	n = 0
	for _, w := range want {
		if !slices.Contains(got, w) && n < 8 {
			fmt.Fprintln(&b, "  expected ", w)
			n++
		}
	}
	return b.String()
}
