package main

import (
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// unknownKeys finds every key of the document that the configuration does not know. The YAML library can refuse them too,
// but only from text, and the variables are replaced in the parsed document.
func unknownKeys(document *yaml.Node, c Config) []error {
	var faults []error
	for _, n := range document.Content {
		walkKeys(n, reflect.TypeOf(c), "", &faults)
	}
	return faults
}

var unmarshaler = reflect.TypeFor[yaml.Unmarshaler]()

func walkKeys(n *yaml.Node, t reflect.Type, path string, faults *[]error) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return // it has several forms and checks its own keys
	}
	switch {
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, c := range n.Content {
			walkKeys(c, t.Elem(), fmt.Sprintf("%s[%d]", path, i), faults)
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			walkKeys(n.Content[i+1], t.Elem(), join(path, n.Content[i].Value), faults)
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		known := map[string]reflect.Type{}
		yamlKeys(t, known)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			field, ok := known[key.Value]
			switch {
			case key.Tag == "!!merge":
				walkKeys(value, t, path, faults)
			case !ok:
				*faults = append(*faults, fmt.Errorf("%s: unknown key (line %d)", join(path, key.Value), key.Line))
			default:
				walkKeys(value, field, join(path, key.Value), faults)
			}
		}
	}
}

// yamlKeys collects the keys of a struct, those of inlined ones too.
func yamlKeys(t reflect.Type, known map[string]reflect.Type) {
	for f := range fields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if options == "inline" {
			yamlKeys(f.Type, known)
			continue
		}
		if name != "" && name != "-" {
			known[name] = f.Type
		}
	}
}

func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && !yield(f) {
				return
			}
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
