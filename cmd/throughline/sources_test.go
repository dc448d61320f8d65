package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
)

// command runs a command and gives what it printed.
func ran(t *testing.T, args ...string) (string, error) {
	t.Helper()
	c := command()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(context.Background())
	return out.String(), err
}

func edit(t *testing.T, file, old, with string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		t.Fatalf("%q is not in %s", old, file)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(b), old, with, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestNewSourcePassesItsOwnTest: and a sample that is broken names the file, the item and the difference.
func TestNewSourcePassesItsOwnTest(t *testing.T) {
	t.Setenv(configVariable, "")
	dir := t.TempDir()
	if out, err := ran(t, "sources", "new", "acme", "--dir", dir); err != nil {
		t.Fatal(out, err)
	}
	if out, err := ran(t, "sources", "new", "acme", "--dir", dir); err == nil {
		t.Error("it was made twice:", out)
	}
	out, err := ran(t, "sources", "test", "acme", "--dir", dir)
	if err != nil || !strings.Contains(out, "2 samples    1 events   0 failures") {
		t.Fatal(out, err)
	}
	at := filepath.Join(dir, "acme")
	lead := filepath.Join(at, "samples", "lead.json")
	if out, err = ran(t, "sources", "try", "acme", "--dir", dir, "--file", lead); err != nil || !strings.Contains(out, `"id":"9007199254740993"`) || !strings.Contains(out, "nothing was sent") {
		t.Error(out, err)
	}

	edit(t, filepath.Join(at, "samples", "lead.events.json"), `"callback"`, `"call-back"`)
	out, err = ran(t, "sources", "test", "acme", "--dir", dir)
	for _, want := range []string{"acme/samples/lead", "item 0", `.form.form_id: want "call-back", got "callback"`} {
		if err == nil || !strings.Contains(out, want) {
			t.Errorf("%v: %q is not in\n%s", err, want, out)
		}
	}
	edit(t, lead, "callback", "callbeck")
	if out, err = ran(t, "sources", "test", "acme", "--dir", dir); err == nil || !strings.Contains(out, `the checks say "wrong_signature"`) || !strings.Contains(out, "the signature of these bytes is sha256=") {
		t.Error(out, err)
	}
	edit(t, filepath.Join(at, "hook.jq"), "local_time", "local_tim")
	if _, err = ran(t, "sources", "test", "--dir", dir); err == nil || !strings.Contains(err.Error(), "acme/hook.jq:5: function not defined: local_tim/0") {
		t.Error(err)
	}
	edit(t, filepath.Join(at, "source.yaml"), "format: json", "format: yaml")
	edit(t, filepath.Join(at, "source.yaml"), "makes: [form]", "make: [form]")
	_, err = ran(t, "sources", "test", "--dir", dir)
	for _, want := range []string{`acme/source.yaml:18: entries[0].make: unknown key`, `acme/source.yaml:21: entries[0].read.format: "yaml" is none of`, "hook.jq:5"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
}

func TestShippedSourcesByCommand(t *testing.T) {
	t.Setenv(configVariable, "")
	out, err := ran(t, "sources", "list")
	if err != nil || !strings.Contains(out, "telegram") || !strings.Contains(out, "checked by hmac") {
		t.Error(out, err)
	}
	out, err = ran(t, "sources", "show", "callrail")
	if err != nil || !strings.Contains(out, "signing_key") || strings.Contains(out, "0c1e5f6a") {
		t.Error(out, err)
	}
	if _, err = ran(t, "sources", "show", "nobody"); err == nil {
		t.Error("nobody was shown")
	}
	if out, err = ran(t, "sources", "test"); err != nil || !strings.Contains(out, " 0 failures") {
		t.Error(out, err)
	}
}

// TestSourcesReadAgain: at SIGHUP the folder counts as it is then, and a fault leaves the ones before in force.
func TestSourcesReadAgain(t *testing.T) {
	dir := t.TempDir()
	if _, err := sources.New(dir, "acme"); err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.Sources = dir
	c.Workspaces[0].Sources = []workspace.Source{{Name: "acme", Key: "key-of-an-address", Settings: map[string]any{"secret": "s"}}}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.InfoLevel)
	s := &system{cfg: c, log: zap.New(core)}
	var inForce *sources.Set
	use := []func(*sources.Set){func(set *sources.Set) { inForce = set }}
	s.give(c.set, use)
	before := inForce.Sources["acme"].Version

	program := filepath.Join(dir, "acme", "hook.jq")
	edit(t, program, "text)", "text")
	s.readSources(use)
	if inForce.Sources["acme"].Version != before {
		t.Error("a faulty source was taken")
	}
	if l := logs.FilterMessageSnippet("refused").All(); len(l) != 1 || !strings.Contains(l[0].ContextMap()["error"].(string), "acme/hook.jq") {
		t.Errorf("%v", logs.All())
	}
	edit(t, program, "text", "text // \"none\")")
	s.readSources(use)
	if inForce.Sources["acme"].Version == before {
		t.Error("a mended source was not taken")
	}

	edit(t, filepath.Join(dir, "acme", "source.yaml"), "- hmac: {algorithm: sha256, encoding: hex, key: secret, of: [body], in: \"header:X-Signature\", prefix: \"sha256=\"}", "- path: true")
	edit(t, filepath.Join(dir, "acme", "source.yaml"), "checks:\n      - path: true", "unchecked: it is only a test")
	s.readSources(use)
	if l := logs.FilterMessageSnippet("lets anybody in").All(); len(l) != 1 {
		t.Errorf("%v", logs.All())
	}
	c.set = inForce
	var out bytes.Buffer
	st := &status{Unchecked: c.unchecked()}
	if err := st.print(&out, false); err != nil || !strings.Contains(out.String(), "UNCHECKED: it is only a test") {
		t.Errorf("%v: %s", err, out.String())
	}
}
