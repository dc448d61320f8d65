package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/throughline-io/throughline/"

// pure packages have values in and values out: no Kafka, no clock, no files.
var pure = []string{"services/stitcher/journey", "services/stitcher/attribution", "services/stitcher/identity"}

// forbidden says why a package (a folder from the root) must not import another, empty if it may. It looks at folders
// alone, so a new one is under the rules from its first file. Test files are under the same rules, but that those of a pure
// package may read files and use a test library.
func forbidden(from, to string, test bool) string {
	ours := strings.HasPrefix(to, module)
	to = strings.TrimPrefix(to, module)
	in := func(dir, of string) bool { return dir == of || strings.HasPrefix(dir, of+"/") }
	service := func(dir string) string {
		parts := strings.Split(dir, "/")
		if len(parts) < 2 || parts[0] != "services" || parts[1] == "internal" {
			return ""
		}
		return parts[1]
	}
	kafka := in(to, "services/internal/kafka") || in(to, "github.com/twmb/franz-go") || in(to, "github.com/segmentio/kafka-go")
	clickhouse := in(to, "services/internal/clickhouse") || in(to, "pipelines/clickhouse") || in(to, "github.com/ClickHouse")
	switch {
	case in(from, "schemas"):
		if ours && !in(to, "schemas") {
			return "schemas import nothing of ours"
		}
	case in(from, "pipelines"):
		if ours && !in(to, "pipelines") && !in(to, "schemas") {
			return "pipelines import schemas alone"
		}
	case in(from, "services/internal"):
		if ours && !in(to, "services/internal") {
			return "technology knows no event"
		}
	case in(from, "cmd"):
		if in(to, "services/internal") {
			return "commands wire services, not their insides"
		}
	case slices.ContainsFunc(pure, func(p string) bool { return in(from, p) }):
		isPure := slices.ContainsFunc(pure, func(p string) bool { return in(to, p) })
		if !ours && !test && (strings.Contains(strings.Split(to, "/")[0], ".") || to == "os" || to == "net/http") {
			return "a pure package has no technology"
		}
		if ours && !in(to, "schemas") && !isPure {
			return "a pure package imports schemas alone"
		}
	case in(from, "services") && service(from) == "":
		return "a package directly in services is no box of the diagram"
	}
	if ours && in(to, "cmd") {
		return "nothing imports a command"
	}
	if from, to := service(from), service(to); ours && from != "" && to != "" && from != to && !joins(from) {
		return "no service imports another"
	}
	switch {
	case service(from) == "reports" && kafka:
		return "reports has no Kafka"
	case (service(from) == "collector" || service(from) == "stitcher") && clickhouse:
		return "the collector and the stitcher have no ClickHouse"
	}
	return ""
}

// joins is true of the packages under services that are no box: they put the boxes together.
func joins(service string) bool { return service == "e2e" }

func TestArrows(t *testing.T) {
	folders := map[string]int{}
	for file, imports := range imports(t, "../..") {
		from := filepath.ToSlash(filepath.Dir(file))
		folders[from]++
		for _, to := range imports {
			if why := forbidden(from, to, strings.HasSuffix(file, "_test.go")); why != "" {
				t.Errorf("%s imports %s: %s", file, to, why)
			}
		}
	}
	// A floor: a walk that found nothing would pass.
	for _, must := range []string{"schemas/event", "schemas/fact", "pipelines", "pipelines/workspace", "cmd/throughline", "services/stitcher/journey"} {
		if folders[must] == 0 {
			t.Errorf("no file of %s was read; folders: %v", must, slices.Sorted(maps.Keys(folders)))
		}
	}
}

// imports parses the import clause of every Go file itself. A test that asks `go list` passes from the test cache
// after a forbidden import was added; this one reads the files, which the cache notices.
func imports(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" || name == "data" || name == "dist") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		from, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		found[from] = []string{}
		for _, i := range file.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			found[from] = append(found[from], to)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The rules themselves, on arrows that stand nowhere in the tree (yet).
func TestForbidden(t *testing.T) {
	rows := []struct {
		name, from, to string
		allowed        bool
	}{
		{"schemas among themselves", "schemas/fact", module + "schemas/event", true},
		{"schemas to a service", "schemas/event", module + "services/collector", false},
		{"schemas to pipelines", "schemas/event", module + "pipelines", false},
		{"pipelines to schemas", "pipelines/workspace", module + "schemas/event", true},
		{"pipelines to technology", "pipelines", module + "services/internal/kafka", false},
		{"technology to technology", "services/internal/embedded", module + "services/internal/kafka", true},
		{"technology to schemas", "services/internal/kafka", module + "schemas/event", false},
		{"technology to pipelines", "services/internal/clickhouse", module + "pipelines", false},
		{"command to service", "cmd/throughline", module + "services/collector", true},
		{"command to technology", "cmd/throughline", module + "services/internal/kafka", false},
		{"service to command", "services/collector", module + "cmd/throughline", false},
		{"service to its own", "services/stitcher", module + "services/stitcher/state", true},
		{"service to technology", "services/loader", module + "services/internal/clickhouse", true},
		{"service to service", "services/collector", module + "services/loader", false},
		{"service below to service below", "services/stitcher/state", module + "services/loader/plan", false},
		{"test of the whole to service", "services/e2e", module + "services/collector", true},
		{"pure to schemas", "services/stitcher/journey", module + "schemas/fact", true},
		{"pure to pure", "services/stitcher/journey", module + "services/stitcher/attribution", true},
		{"pure to pipelines", "services/stitcher/journey", module + "pipelines/workspace", false},
		{"pure to state", "services/stitcher/identity", module + "services/stitcher/state", false},
		{"pure to Kafka", "services/stitcher/identity", "github.com/twmb/franz-go/pkg/kgo", false},
		{"pure to files", "services/stitcher/attribution", "os", false},
		{"pure to arithmetic", "services/stitcher/attribution", "math/big", true},
		{"reports to Kafka", "services/reports", "github.com/twmb/franz-go/pkg/kgo", false},
		{"reports below to our Kafka", "services/reports/web", module + "services/internal/kafka", false},
		{"reports to ClickHouse", "services/reports", "github.com/ClickHouse/clickhouse-go/v2", true},
		{"collector to ClickHouse", "services/collector", "github.com/ClickHouse/clickhouse-go/v2", false},
		{"stitcher to our ClickHouse", "services/stitcher/state", module + "services/internal/clickhouse", false},
		{"stitcher to the tables", "services/stitcher", module + "pipelines/clickhouse", false},
		{"stitcher to Kafka", "services/stitcher", "github.com/twmb/franz-go/pkg/kgo", true},
		{"a package that only begins alike", "services/reportsx", "github.com/twmb/franz-go/pkg/kgo", true},
		{"a drawer directly in services", "services", "fmt", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if why := forbidden(row.from, row.to, false); (why == "") != row.allowed {
				t.Errorf("allowed %t: %q", why == "", why)
			}
		})
	}
}
