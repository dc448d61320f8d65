package main

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"gopkg.in/yaml.v3"
)

const root = "../../"

// environment reads deploy/compose.env, the example of .env.
func environment(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open(root + "deploy/compose.env")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok && !strings.HasPrefix(name, "#") {
			out[name] = value
		}
	}
	return out
}

// The compose file keeps the schema of compose files, needs nothing but what the example of .env has, mounts what there is, opens
// ports on this machine alone, and runs commands that there are on a configuration that loads.
func TestCompose(t *testing.T) {
	env := environment(t)
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	options, err := cli.NewProjectOptions([]string{root + "docker-compose.yml"}, cli.WithEnv(list), cli.WithInterpolation(true), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	commands := map[string]bool{}
	for _, c := range command().Commands() {
		commands[c.Name()] = true
	}
	ours := 0
	for name, s := range project.Services {
		for _, v := range s.Volumes {
			if v.Type == "bind" {
				loads(t, name, v.Source)
			}
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s opens port %s on %q", name, p.Published, p.HostIP)
			}
		}
		for on := range s.DependsOn {
			if _, ok := project.Services[on]; !ok {
				t.Errorf("%s waits for %s, which there is not", name, on)
			}
		}
		if s.Build == nil {
			continue
		}
		ours++
		if len(s.Command) != 1 || !commands[s.Command[0]] {
			t.Errorf("%s runs %v", name, s.Command)
		}
		if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
			t.Errorf("%s is built of: %v", name, err)
		}
		for key, value := range s.Environment {
			if value != nil {
				t.Setenv(key, *value)
			}
		}
	}
	if ours != 6 {
		t.Errorf("%d services are ours", ours)
	}
	cfg, err := LoadConfig(root + "deploy/config/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Kafka.Brokers[0] != "kafka:9092" || cfg.ClickHouse.Addr[0] != "clickhouse:9000" || project.Services["kafka"].Name == "" || project.Services["clickhouse"].Name == "" {
		t.Errorf("the configuration names %v and %v", cfg.Kafka.Brokers, cfg.ClickHouse.Addr)
	}
}

// loads wants every file of what is mounted to be what its reader takes: XML, YAML of one document, or JSON.
func loads(t *testing.T, service, source string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(source, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var any map[string]any
		switch filepath.Ext(path) {
		case ".xml":
			var config struct {
				XMLName    xml.Name `xml:"clickhouse"`
				MySQL      int      `xml:"mysql_port"`
				PostgreSQL int      `xml:"postgresql_port"`
			}
			if err := xml.Unmarshal(text, &config); err != nil || config.MySQL != 9004 || config.PostgreSQL != 9005 {
				t.Errorf("%s: %v %+v", path, err, config)
			}
			return nil
		case ".yml", ".yaml":
			err = yaml.Unmarshal(text, &any)
		case ".json":
			err = json.Unmarshal(text, &any)
		default:
			t.Errorf("%s mounts %s, which nothing reads", service, path)
		}
		if err != nil || len(any) == 0 {
			t.Errorf("%s mounts %s: %v", service, path, err)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Errorf("%s mounts %s: %d files, %v", service, source, n, err)
	}
}

// Grafana reads as throughline_bi from the ClickHouse that there is, and finds the dashboards where they are mounted.
func TestGrafanaProvisioning(t *testing.T) {
	var sources struct {
		Datasources []struct {
			Name, Type string
			JSONData   struct {
				Host, Username string
				Port           int
			} `yaml:"jsonData"`
		}
	}
	var boards struct {
		Providers []struct{ Options struct{ Path string } }
	}
	for path, to := range map[string]any{"datasources/throughline.yaml": &sources, "dashboards/throughline.yaml": &boards} {
		text, err := os.ReadFile(root + "deploy/grafana/provisioning/" + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, to); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	reads := false
	for _, s := range sources.Datasources {
		reads = reads || s.Type == "grafana-clickhouse-datasource" && s.JSONData.Host == "clickhouse" && s.JSONData.Username == "throughline_bi"
	}
	if !reads {
		t.Errorf("no data source reads ClickHouse as throughline_bi: %+v", sources.Datasources)
	}
	if len(boards.Providers) != 1 || boards.Providers[0].Options.Path != "/var/lib/grafana/dashboards" {
		t.Errorf("dashboards are looked for in %+v", boards.Providers)
	}
}
