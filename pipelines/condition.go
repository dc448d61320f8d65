package pipelines

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Condition is what one value must be; where several parts are given, one that holds is enough. In YAML a plain text
// stands for Equals and a list for In.
type Condition struct {
	Equals   string   `yaml:"equals" json:"equals,omitempty"`
	In       []string `yaml:"in" json:"in,omitempty"`
	Prefix   OneOf    `yaml:"prefix" json:"prefix,omitempty"`
	Suffix   OneOf    `yaml:"suffix" json:"suffix,omitempty"`
	Contains OneOf    `yaml:"contains" json:"contains,omitempty"`
	Regexp   string   `yaml:"regexp" json:"regexp,omitempty"`
	Category Category `yaml:"category" json:"category,omitempty"`
}

// OneOf is one text or a list of them.
type OneOf []string

// UnmarshalYAML takes a text, a list or the parts by name.
func (c *Condition) UnmarshalYAML(n *yaml.Node) error {
	switch n.Kind {
	case yaml.ScalarNode:
		return n.Decode(&c.Equals)
	case yaml.SequenceNode:
		return n.Decode(&c.In)
	default:
		// Node.Decode does not refuse unknown keys, whatever the decoder above was told.
		for i := 0; i+1 < len(n.Content); i += 2 {
			if key := n.Content[i]; !slices.Contains(conditionParts, key.Value) {
				return &yaml.TypeError{Errors: []string{
					fmt.Sprintf("line %d: %q is no part of a condition: %v", key.Line, key.Value, conditionParts),
				}}
			}
		}
		type parts Condition
		return n.Decode((*parts)(c))
	}
}

var conditionParts = []string{"equals", "in", "prefix", "suffix", "contains", "regexp", "category"}

// UnmarshalYAML takes a text or a list.
func (o *OneOf) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*o = OneOf{""}
		return n.Decode(&(*o)[0])
	}
	return n.Decode((*[]string)(o))
}

// compile makes the test of a value, which is lower case; faults begin with the part's name.
func (c *Condition) compile(sites *siteIndex) (func(string) bool, error) {
	var tests []func(string) bool
	var faults []error
	equal := lower(c.In)
	if c.Equals != "" {
		equal = append(equal, lower([]string{c.Equals})...)
	}
	if len(equal) > 0 {
		tests = append(tests, func(v string) bool { return slices.Contains(equal, v) })
	}
	for _, part := range []struct {
		name  string
		texts []string
		test  func(value, text string) bool
	}{
		{".in", c.In, nil}, // its test is the one above
		{".prefix", c.Prefix, strings.HasPrefix},
		{".suffix", c.Suffix, strings.HasSuffix},
		{".contains", c.Contains, strings.Contains},
	} {
		texts := lower(part.texts)
		if slices.Contains(texts, "") {
			faults = append(faults, fmt.Errorf(`%s: "" is empty`, part.name))
		}
		if len(texts) > 0 && part.test != nil {
			tests = append(tests, func(v string) bool {
				return slices.ContainsFunc(texts, func(t string) bool { return part.test(v, t) })
			})
		}
	}
	if c.Regexp != "" {
		re, err := regexp.Compile(`(?is)^(?:` + c.Regexp + `)$`)
		if err != nil {
			faults = append(faults, fmt.Errorf(".regexp: %q: %w", c.Regexp, err))
		} else {
			tests = append(tests, re.MatchString)
		}
	}
	if c.Category != "" {
		if !slices.Contains(categories, c.Category) {
			faults = append(faults, fmt.Errorf(".category: %q is none of %v", c.Category, categories))
		}
		tests = append(tests, func(v string) bool { return sites.category(v) == c.Category })
	}
	if len(tests) == 0 && len(faults) == 0 {
		faults = append(faults, errors.New(`: "" is empty`))
	}
	return func(v string) bool {
		for _, test := range tests {
			if test(v) {
				return true
			}
		}
		return false
	}, errors.Join(faults...)
}

func lower(texts []string) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = strings.ToLower(strings.TrimSpace(t))
	}
	return out
}
