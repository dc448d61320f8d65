package sources

import (
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/pipelines/workspace"
)

const bindDefinition = `
name: acme
title: Acme
settings:
  token: {about: t, required: true, secret: true, example: x}
  zone: {about: z, default: UTC}
  limit: {about: l, default: 5}
  hosts: {about: h, default: [a.example]}
tables:
  stages: {about: s, required: true, example: {"1": new}}
  owners: {about: o, default: {"1": Ewa}}
entries:
  - name: hook
    kind: webhook
    makes: [form]
    checks: [{path: true}, {secret: {in: "header:X", is: token}}]
    read: {format: json}
    map: '{zone: $settings.zone, limit: $settings.limit, stage: lookup("stages"; 1), owner: lookup("owners"; "1")} | empty'
  - name: open
    kind: webhook
    makes: [form]
    unchecked: it is a test
    match: {values: {"query:open": "*"}}
    read: {format: json}
    map: empty
`

// bound binds a workspace's sources, given as YAML.
func bound(t *testing.T, text string) (*Set, error) {
	t.Helper()
	list, err := Load(fstest.MapFS{"acme/source.yaml": {Data: []byte(bindDefinition)}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	w := []workspace.Workspace{{Name: "shop", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "p"}}
	if err := yaml.Unmarshal([]byte(text), &w[0].Sources); err != nil {
		t.Fatal(err)
	}
	if err := workspace.Validate(w); err != nil {
		t.Fatal(err)
	}
	return Bind(list, w)
}

func TestBind(t *testing.T) {
	set, err := bound(t, `
- {name: acme, key: a-long-key-of-the-first, settings: {token: s}, tables: {stages: {1: {stage: New}}}}
- {name: second, source: acme, key: a-long-key-of-another, settings: {token: s2, limit: 7, zone: Europe/Kyiv}, tables: {stages: {1: x}, owners: {}}}
`)
	if err != nil {
		t.Fatal(err)
	}
	first, ok := set.Find("acme", "a-long-key-of-the-first")
	if !ok || first.Name != "acme" || first.Setting("zone") != "UTC" || first.Setting("limit") != "5" || first.Setting("none") != "" {
		t.Errorf("%+v", first)
	}
	second, ok := set.Named("shop", "second")
	if !ok || second.Key != "a-long-key-of-another" || second.Setting("limit") != "7" {
		t.Errorf("%+v", second)
	}
	if owners, ok := second.Tables["owners"].(map[string]any); !ok || len(owners) != 0 {
		t.Errorf("a workspace's own table replaces the default: %v", second.Tables)
	}
	for _, row := range [][2]string{{"acme", "a-long-key-of-nobody"}, {"other", "a-long-key-of-the-first"}, {"acme", ""}} {
		if _, ok := set.Find(row[0], row[1]); ok {
			t.Errorf("%v was found", row)
		}
	}
	if u := first.Unchecked(); len(u) != 1 || u[0].Name != "open" {
		t.Errorf("unchecked: %v", u)
	}
}

func TestFaultsOfBinding(t *testing.T) {
	for _, row := range []struct{ name, sources, want string }{
		{"no source", `[{name: nobody, key: a-long-key-of-the-first}]`, `workspaces[0].sources[0].source: "nobody" is no source; there are [acme]`},
		{"no key", `[{name: acme, settings: {token: s}, tables: {stages: {1: x}}}]`, `sources[0].key: of "acme" is empty`},
		{"a short key that is the secret", `[{name: acme, key: short-key, settings: {token: s}, tables: {stages: {1: x}}}]`, `sources[0].key: of "acme" is the only secret`},
		{"no setting", `[{name: acme, key: a-long-key-of-the-first, tables: {stages: {1: x}}}]`, `sources[0].settings.token: is needed`},
		{"an empty secret", `[{name: acme, key: a-long-key-of-the-first, settings: {token: ""}, tables: {stages: {1: x}}}]`, `sources[0].settings.token: is empty`},
		{"a setting too many", `[{name: acme, key: a-long-key-of-the-first, settings: {token: s, tokne: x}, tables: {stages: {1: x}}}]`, `sources[0].settings.tokne: acme has none of this name`},
		{"no table", `[{name: acme, key: a-long-key-of-the-first, settings: {token: s}}]`, `sources[0].tables.stages: is needed`},
		{"a table too many", `[{name: acme, key: a-long-key-of-the-first, settings: {token: s}, tables: {stages: {1: x}, x: {}}}]`, `sources[0].tables.x: acme has none`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := bound(t, row.sources)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), "a-long-key") {
				t.Errorf("the key is told: %v", err)
			}
		})
	}
}

// TestOwnSourceStandsBefore: one of the user's own replaces the shipped one of its name, whatever the order.
func TestOwnSourceStandsBefore(t *testing.T) {
	dir := t.TempDir()
	if _, err := New(dir, "telegram"); err != nil {
		t.Fatal(err)
	}
	set, err := OpenAndBind(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := set.Sources["telegram"]; !s.Own || s.Title != "telegram" {
		t.Errorf("%+v", s.Definition)
	}
	if s := set.Sources["callrail"]; s == nil || s.Own {
		t.Error("the shipped ones are gone")
	}
	if _, err := New(dir, "No Name"); err == nil {
		t.Error("a name with a blank was taken")
	}
}
