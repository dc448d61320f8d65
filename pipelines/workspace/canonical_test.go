package workspace

import (
	"os"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/schemas/event"
)

// TestCanonicalComesBack reads every workspace of the conformance worlds back from what is stored of it: it must say the same again,
// and classify and convert the same.
func TestCanonicalComesBack(t *testing.T) {
	text, err := os.ReadFile("../../services/e2e/testdata/workspaces.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Workspaces []Workspace `yaml:"workspaces"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if err := Validate(file.Workspaces); err != nil {
		t.Fatal(err)
	}
	for i := range file.Workspaces {
		w := &file.Workspaces[i]
		back, err := FromCanonical(w.Canonical())
		if err != nil {
			t.Fatalf("%s: %v", w.Name, err)
		}
		if string(back.Canonical()) != string(w.Canonical()) {
			t.Errorf("%s: comes back as %s", w.Name, back.Canonical())
		}
		for _, o := range []event.Origin{{}, {Click: "gclid"}, {Referrer: "google.pl"}, {UTM: event.UTM{Source: "vk", Medium: "cpc"}}} {
			if got, want := back.Classifier().Classify(o), w.Classifier().Classify(o); got != want {
				t.Errorf("%s: %+v is %+v, was %+v", w.Name, o, got, want)
			}
		}
		got, ok := back.Minor("12.50", "USD")
		if want, _ := w.Minor("12.50", "USD"); !ok || got != want {
			t.Errorf("%s: 12.50 USD is %d, was %d", w.Name, got, want)
		}
	}
}
