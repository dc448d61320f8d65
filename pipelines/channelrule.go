package pipelines

import (
	"errors"
	"fmt"
	"strings"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// ChannelRule names the channel of the tuples that it matches: all conditions of Match hold and, where Any is not
// empty, those of one of its entries do. channels.yaml describes the form.
type ChannelRule struct {
	Name  string `yaml:"name" json:"name"`
	Match `yaml:",inline"`
	Any   []Match `yaml:"any" json:"any,omitempty"`
}

// Match is conditions on the five values, nil where there is none.
type Match struct {
	Source   *Condition `yaml:"source" json:"source,omitempty"`
	Medium   *Condition `yaml:"medium" json:"medium,omitempty"`
	Campaign *Condition `yaml:"campaign" json:"campaign,omitempty"`
	Content  *Condition `yaml:"content" json:"content,omitempty"`
	Term     *Condition `yaml:"term" json:"term,omitempty"`
}

type compiledRule struct {
	name string
	all  compiledMatch
	any  []compiledMatch
}

// compiledMatch is five tests in the order of event.UTM's fields, nil where anything will do.
type compiledMatch [5]func(string) bool

func (r *compiledRule) matches(u *event.UTM) bool {
	if !r.all.matches(u) {
		return false
	}
	for i := range r.any {
		if r.any[i].matches(u) {
			return true
		}
	}
	return len(r.any) == 0
}

func (m *compiledMatch) matches(u *event.UTM) bool {
	for i, value := range [5]string{u.Source, u.Medium, u.Campaign, u.Content, u.Term} {
		if m[i] != nil && !m[i](value) {
			return false
		}
	}
	return true
}

func compileRules(rules []ChannelRule, sites *siteIndex) ([]compiledRule, error) {
	var out []compiledRule
	var faults []error
	for i := range rules {
		r, err := rules[i].compile(sites)
		for _, e := range Faults(err) {
			faults = append(faults, fmt.Errorf("channels[%d].%w", i, e))
		}
		out = append(out, r)
	}
	return out, errors.Join(faults...)
}

func (r *ChannelRule) compile(sites *siteIndex) (compiledRule, error) {
	out := compiledRule{name: strings.TrimSpace(r.Name)}
	var faults []error
	switch out.name {
	case "":
		faults = append(faults, errors.New(`name: "" is empty`))
	case fact.Unattributed:
		faults = append(faults, fmt.Errorf("name: %q is the ledger's own channel", out.name))
	}
	if r.Match == (Match{}) && len(r.Any) == 0 {
		faults = append(faults, fmt.Errorf("source: %q has no condition, so it would take every touch", r.Name))
	}
	all, err := r.Match.compile(sites)
	out.all = all
	faults = append(faults, Faults(err)...)
	for i := range r.Any {
		m, err := r.Any[i].compile(sites)
		if r.Any[i] == (Match{}) {
			err = errors.New("source: no condition, so it would take every touch")
		}
		for _, e := range Faults(err) {
			faults = append(faults, fmt.Errorf("any[%d].%w", i, e))
		}
		out.any = append(out.any, m)
	}
	return out, errors.Join(faults...)
}

func (m *Match) compile(sites *siteIndex) (compiledMatch, error) {
	var out compiledMatch
	var faults []error
	names := [5]string{"source", "medium", "campaign", "content", "term"}
	for i, c := range [5]*Condition{m.Source, m.Medium, m.Campaign, m.Content, m.Term} {
		if c == nil {
			continue
		}
		test, err := c.compile(sites)
		for _, e := range Faults(err) {
			faults = append(faults, fmt.Errorf("%s%w", names[i], e))
		}
		out[i] = test
	}
	return out, errors.Join(faults...)
}

// Faults takes joined errors apart, so that each can be given the whole path to its field.
func Faults(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
