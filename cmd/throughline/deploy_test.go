package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
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
			if _, err := os.Stat(v.Source); v.Type == "bind" && err != nil {
				t.Errorf("%s mounts %s: %v", name, v.Source, err)
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
