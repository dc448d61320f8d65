package workspace

import (
	"strings"
	"testing"
)

func TestSources(t *testing.T) {
	w := valid(t, "pipelines:\n", "sources: [{name: bot, source: telegram, key: key-of-an-address}, {name: callrail, key: key-of-another}, {name: ads}]\npipelines:\n")
	if w.Sources[0].Source != "telegram" || w.Sources[1].Source != "callrail" || w.Sources[2].Key != "" {
		t.Errorf("%+v", w.Sources)
	}
	for _, row := range []struct{ name, sources, want string }{
		{"capitals", `[{name: Bot, key: key-of-an-address}]`, `sources[0].name: "Bot" does not match`},
		{"a name twice", `[{name: bot, key: key-of-an-address}, {name: bot, key: key-of-another}]`, `sources[1].name: "bot" does not match`},
		{"no kind", `[{name: bot, source: "a/b", key: key-of-an-address}]`, `sources[0].source: "a/b"`},
		{"a short key", `[{name: bot, key: short}]`, `sources[0].key: of "bot" does not match`},
		{"a key that an address cannot hold", `[{name: bot, key: "key/of/an/address"}]`, `sources[0].key: of "bot" does not match`},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := read(t, good, "pipelines:\n", "sources: "+row.sources+"\npipelines:\n")
			err := w.Validate()
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "key-of") || strings.Contains(err.Error(), "key/of")) {
				t.Errorf("the key is told: %v", err)
			}
		})
	}
}

// TestSourceKeysAreUnique: the key in an address says whose it is, among all workspaces and all other keys.
func TestSourceKeysAreUnique(t *testing.T) {
	a := read(t, good, "pipelines:\n", "sources: [{name: bot, key: key-of-an-address}, {name: two, key: key-of-an-address}]\npipelines:\n")
	b := read(t, good, "name: shop\n", "name: other\n", "sk_demo", "sk_other_one", "pk_demo", "pk_other", "pipelines:\n", "sources: [{name: bot, key: sk_other_one}]\npipelines:\n")
	err := Validate([]Workspace{a, b})
	for _, want := range []string{`workspaces[0].sources[1].key: of "two" is the same as workspaces[0].sources[0].key`, `workspaces[1].sources[0].key: of "bot" is the same as workspaces[1].keys[0].secret`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
