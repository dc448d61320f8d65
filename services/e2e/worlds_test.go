package e2e

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// queries are those that the contract's conformance program asks.
var queries = map[string]string{
	"credits.csv": `SELECT conversion, model, channel, source, medium, campaign, toDate(touch_time, 'Europe/Warsaw') AS d1, toDate(lead_time, 'Europe/Warsaw') AS d2,
 toDate(sale_time, 'Europe/Warsaw') AS d3, toDate(booked_time, 'Europe/Warsaw') AS d4, sum(conversions) AS c, sum(revenue) AS r, sum(cost_of_goods) AS g
 FROM throughline.credits WHERE workspace = '%s' GROUP BY ALL HAVING c != 0 OR r != 0 OR g != 0`,
	"channel_daily.csv": `SELECT date_basis, date, model, channel, source, medium, campaign, sum(visits) AS v, sum(impressions) AS i, sum(clicks) AS k, sum(spend) AS s,
 sum(inquiries) AS q, sum(deals) AS d, sum(sales) AS n, sum(revenue) AS r, sum(cost_of_goods) AS g
 FROM throughline.channel_daily WHERE workspace = '%s' GROUP BY ALL
 HAVING v != 0 OR i != 0 OR k != 0 OR s != 0 OR q != 0 OR d != 0 OR n != 0 OR r != 0 OR g != 0`,
}

// TestConformance plays every world of the contract four ways, a workspace each, into one system: as it is, shuffled, everything
// twice, and one event a request. Not one cell may differ.
func TestConformance(t *testing.T) {
	t.Parallel() // most of it is waiting
	text, err := os.ReadFile("testdata/workspaces.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ways := []string{"", "_shuffled", "_twice", "_single"}
	_, list, _ := strings.Cut(string(text), "workspaces:\n")
	workspaces := "workspaces:\n"
	worlds := readWorlds(t)
	for _, way := range ways {
		copied := list
		for name := range worlds {
			copied = strings.ReplaceAll(copied, "- name: "+name+"\n", "- name: "+name+way+"\n")
			copied = strings.ReplaceAll(copied, "secret: sk_"+name+"}", "secret: sk_"+name+way+"}")
		}
		workspaces += copied
	}
	for i := range 60 { // more than 161 in all: ClickHouse takes a statement about so many only where it is told to
		workspaces += workspaceConfig("idle"+strconv.Itoa(i), "")
	}
	s := newSystem(t, 12, workspaces)
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, lines := range worlds {
		s.send("sk_"+name, lines, 500)
		twice := append(slices.Clone(lines), lines...)
		s.send("sk_"+name+"_twice", twice, 7)
		s.send("sk_"+name+"_single", lines, 1)
		rnd.Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })
		s.send("sk_"+name+"_shuffled", twice, 100)
	}
	s.drain()
	for name := range worlds {
		for _, way := range ways {
			t.Run(name+way, func(t *testing.T) {
				for file, query := range queries {
					want, ok := readAnswer(t, filepath.Join("testdata/worlds", name, file))
					if !ok {
						continue
					}
					var got []string
					for _, row := range s.query(t, fmt.Sprintf(query, name+way)) {
						got = append(got, normal(strings.Split(row, "\t")))
					}
					slices.Sort(got)
					if !slices.Equal(got, want) {
						t.Errorf("%s differs:\n%s", file, difference(got, want))
					}
				}
			})
		}
	}
	s.auditClean()
}

// TestWorldsConfiguration loads what the README says to play the worlds with.
func TestWorldsConfiguration(t *testing.T) {
	base, err := os.ReadFile("../../deploy/config/worlds.yaml")
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("testdata/workspaces.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "worlds.yaml")
	if err := os.WriteFile(config, append(base, list...), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "check", "--config", config).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func readWorlds(t *testing.T) map[string][]string {
	dirs, err := os.ReadDir("testdata/worlds")
	if err != nil {
		t.Fatal(err)
	}
	worlds := map[string][]string{}
	for _, d := range dirs {
		b, err := os.ReadFile(filepath.Join("testdata/worlds", d.Name(), "events.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		worlds[d.Name()] = strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	if len(worlds) < 28 {
		t.Fatalf("%d worlds; the contract has 28", len(worlds))
	}
	return worlds
}

func readAnswer(t *testing.T, path string) ([]string, bool) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil, false
	}
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
		out = append(out, normal(r))
	}
	slices.Sort(out)
	return out, true
}

// normal writes a row with numbers in one form: 0.50 and 0.5 are the same cell.
func normal(fields []string) string {
	for i, f := range fields {
		if strings.Contains(f, ".") && strings.Trim(f, "-0123456789.") == "" {
			fields[i] = strings.TrimSuffix(strings.TrimRight(f, "0"), ".")
		}
	}
	return strings.Join(fields, " | ")
}

func difference(got, want []string) string {
	var b strings.Builder
	show := func(what string, in, notIn []string) {
		n := 0
		for _, row := range in {
			if !slices.Contains(notIn, row) && n < 8 {
				fmt.Fprintln(&b, what, row)
				n++
			}
		}
	}
	show("  got     ", got, want)
	show("  expected", want, got)
	return b.String()
}
