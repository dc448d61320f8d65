package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// variable is ${NAME}, or $${ which stands for ${ itself.
var variable = regexp.MustCompile(`\$\$\{[^}\n]*\}|\$\$\{|\$\{[^}\n]*\}`)

// variableName is what a shell would take.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// The braces of a variable while the text is parsed: YAML would take real ones for a mapping wherever a value stands
// within {…} or […] without quotes. The characters are of the private use area and mean nothing.
const braceOpen, braceClose = "\uE000", "\uE001"

var (
	hidden = regexp.MustCompile(`\$\$` + braceOpen + `|\$` + braceOpen + `([^` + braceClose + `]*)` + braceClose)
	reveal = strings.NewReplacer(braceOpen, "{", braceClose, "}")
)

// hideVariables gives every variable braces that the parser leaves alone.
func hideVariables(text []byte) ([]byte, error) {
	s := string(text)
	if strings.Contains(s, braceOpen) || strings.Contains(s, braceClose) {
		return nil, errors.New("the file holds a private use character (U+E000 or U+E001)")
	}
	return []byte(variable.ReplaceAllStringFunc(s, func(match string) string {
		return strings.NewReplacer("{", braceOpen, "}", braceClose).Replace(match)
	})), nil
}

// expandVariables replaces the hidden variables in every value; in keys they stay as written. It works on the parsed
// document: what a variable holds is one value, and cannot add keys or break the file.
func expandVariables(n *yaml.Node, lookup func(string) (string, bool)) []error {
	var faults []error
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			n.Content[i].Value = reveal.Replace(n.Content[i].Value)
			faults = append(faults, expandVariables(n.Content[i+1], lookup)...)
		}
	case yaml.ScalarNode:
		faults = expandScalar(n, lookup)
	case yaml.DocumentNode, yaml.SequenceNode:
		for _, c := range n.Content {
			faults = append(faults, expandVariables(c, lookup)...)
		}
	case yaml.AliasNode: // its target is met on its own
	}
	return faults
}

func expandScalar(n *yaml.Node, lookup func(string) (string, bool)) []error {
	if !hidden.MatchString(n.Value) {
		return nil
	}
	var faults []error
	n.Value = hidden.ReplaceAllStringFunc(n.Value, func(match string) string {
		written := reveal.Replace(match)
		if written == "$${" {
			return "${"
		}
		name := written[2 : len(written)-1]
		value, ok := lookup(name)
		switch {
		case !variableName.MatchString(name):
			faults = append(faults, fmt.Errorf("line %d: %s: %q is no variable's name ($${ stands for ${ itself)", n.Line, written, name))
		case !ok:
			faults = append(faults, fmt.Errorf("line %d: the environment variable %s is not set", n.Line, name))
		default:
			return value
		}
		return written
	})
	n.Value = reveal.Replace(n.Value) // what is left of "$${NAME}"
	// With or without quotes, a number or a truth value may have been meant; anything else is text, even what YAML would read
	// as null. A field that holds text takes a number as it is written.
	n.Style, n.Tag = 0, ""
	switch n.ShortTag() {
	case "!!int", "!!float", "!!bool":
	default:
		n.Tag = "!!str"
	}
	return faults
}
