package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
)

// shipped is a shipped source whose samples have a ledger.
type shipped struct {
	*sources.Source
	samples map[string]*sources.Sample
	ledger  vendorLedger
}

// vendorLedger is samples/ledger.yaml: what the samples post together, as the README beside it works it out by hand.
type vendorLedger struct {
	// Workspace is what the samples' workspace has beside its name and keys.
	Workspace map[string]any `yaml:"workspace"`
	// Send are the samples, in their natural order: all that are not refused and need no settings of their own, if left out.
	Send []string `yaml:"send"`
	// Extra are canonical events of others that samples are joined with.
	Extra []map[string]any `yaml:"extra"`
	// Expect is model → what must stand, each cell that is not zero.
	Expect map[string][]vendorCell `yaml:"expect"`
	// Calls is match → how many.
	Calls map[string]int `yaml:"calls"`
}

type vendorCell struct {
	Channel, Source, Medium, Campaign               string
	Visits, Inquiries, Deals, Sales, Revenue, Spend string
	CostOfGoods                                     string `yaml:"cost_of_goods"`
}

// vendors are all shipped sources; one without a ledger shows nothing here, and that is a fault.
func vendors(t *testing.T) []*shipped {
	t.Helper()
	var all []*shipped
	for _, s := range sources.Shipped() {
		v := &shipped{Source: s, samples: map[string]*sources.Sample{}}
		text, err := os.ReadFile(filepath.Join("../../pipelines/sources", s.Name, "samples/ledger.yaml"))
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(&v.ledger); err != nil {
			t.Fatalf("%s: ledger.yaml: %v", s.Name, err)
		}
		list, err := s.Samples()
		if err != nil {
			t.Fatal(err)
		}
		var otherwise []string
		for _, p := range list {
			v.samples[p.Name()] = p
			if p.Refused == "" && p.Settings == nil && p.Tables == nil {
				otherwise = append(otherwise, p.Name())
			}
		}
		if len(v.ledger.Send) == 0 {
			v.ledger.Send = otherwise
		}
		all = append(all, v)
	}
	return all
}

// refused are the samples that must not be let in.
func (v *shipped) refused() (list []*sources.Sample) {
	for _, name := range slices.Sorted(maps.Keys(v.samples)) {
		if p := v.samples[name]; p.Refused != "" {
			list = append(list, p)
		}
	}
	return list
}

// workspace is the configuration of one vendor's workspace.
func (v *shipped) workspace(name string, asked *stubVendor) map[string]any {
	given := v.Examples()
	asked.lead(v.Source, name, given.Settings)
	w := map[string]any{
		"name": name, "pepper": "not-a-secret", "keys": []any{map[string]any{"name": "all", "secret": "sk_" + name}},
		"sources": []any{map[string]any{"name": v.Name, "key": vendorKey(name), "settings": given.Settings, "tables": given.Tables}},
	}
	maps.Copy(w, v.ledger.Workspace)
	return w
}

// vendorKey is the secret part of the address that a workspace's vendor sends to.
func vendorKey(workspace string) string { return "key-in-the-address-of-" + workspace }

// vendorConfig is the configuration's workspaces as text, and as the program reads them.
func vendorConfig(t *testing.T, workspaces []map[string]any) (string, *sources.Set) {
	t.Helper()
	text, err := yaml.Marshal(map[string]any{"workspaces": workspaces})
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Workspaces []workspace.Workspace `yaml:"workspaces"`
	}
	if err := yaml.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if err := workspace.Validate(read.Workspaces); err != nil {
		t.Fatal(err)
	}
	set, err := sources.OpenAndBind("", read.Workspaces)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), set
}

// extra are the canonical events as lines.
func (v *shipped) extra(t *testing.T) (lines []string) {
	t.Helper()
	for _, e := range v.ledger.Extra {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	return lines
}
