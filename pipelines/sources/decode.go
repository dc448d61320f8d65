package sources

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// faultFunc tells of a fault at a path below.
type faultFunc func(path, format string, args ...any)

// under makes paths begin below.
func (f faultFunc) under(prefix string) faultFunc {
	return func(path, format string, args ...any) { f(strings.TrimSuffix(prefix+"."+path, "."), format, args...) }
}

// document is a YAML file, with its lines.
type document struct {
	file   string
	root   *yaml.Node
	faults []error
}

// decode reads a file into a value, strictly: an unknown key and a wrong type are faults, told with their lines.
func decode(file string, text []byte, into any) *document {
	d := &document{file: file, root: &yaml.Node{}}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(d.root); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		d.wrong(err)
		return d
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.wrong(errors.New("the file holds more than one document"))
	}
	d.unknown(d.root.Content[0], reflect.TypeOf(into).Elem(), "")
	if err := d.root.Decode(into); err != nil {
		var types *yaml.TypeError
		if !errors.As(err, &types) {
			d.wrong(err)
		} else {
			for _, e := range types.Errors {
				d.wrong(errors.New(e))
			}
		}
	}
	return d
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line ([0-9]+): (.*)$`)

// wrong notes what the YAML library says, with the line in the place where ours have it.
func (d *document) wrong(err error) {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		d.faults = append(d.faults, fmt.Errorf("%s:%s: %s", d.file, m[1], m[2]))
		return
	}
	d.faults = append(d.faults, fmt.Errorf("%s: %w", d.file, err))
}

// fault notes a fault at a path such as entries[0].read.format.
func (d *document) fault(path, format string, args ...any) {
	d.faults = append(d.faults, fmt.Errorf("%s:%d: %s: %w", d.file, d.line(path), path, fmt.Errorf(format, args...)))
}

var pathStep = regexp.MustCompile(`[^.\[\]]+|\[[0-9]+\]`)

// node is the nearest one that a path leads to.
func (d *document) node(path string) *yaml.Node {
	if len(d.root.Content) == 0 {
		return d.root
	}
	n := d.root.Content[0]
	for _, step := range pathStep.FindAllString(path, -1) {
		next := child(n, step)
		if next == nil {
			break
		}
		n = next
	}
	return n
}

func (d *document) line(path string) int { return max(1, d.node(path).Line) }

func child(n *yaml.Node, step string) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if i, err := strconv.Atoi(strings.Trim(step, "[]")); err == nil && step[0] == '[' {
		if n.Kind == yaml.SequenceNode && i < len(n.Content) {
			return n.Content[i]
		}
		return nil
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == step {
			return n.Content[i+1]
		}
	}
	return nil
}

var unmarshaler = reflect.TypeFor[yaml.Unmarshaler]()

// unknown finds every key that the type does not know.
func (d *document) unknown(n *yaml.Node, t reflect.Type, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return // it has several forms and checks its own keys
	}
	below := func(key string) string { return strings.TrimPrefix(path+"."+key, ".") }
	switch {
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, c := range n.Content {
			d.unknown(c, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			d.unknown(n.Content[i+1], t.Elem(), below(n.Content[i].Value))
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		known := map[string]reflect.Type{}
		yamlKeys(t, known)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			field, ok := known[key.Value]
			if !ok {
				d.faults = append(d.faults, fmt.Errorf("%s:%d: %s: unknown key", d.file, key.Line, below(key.Value)))
				continue
			}
			d.unknown(value, field, below(key.Value))
		}
	}
}

// yamlKeys collects the keys of a struct, those of inlined ones too.
func yamlKeys(t reflect.Type, known map[string]reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if options == "inline" {
			yamlKeys(f.Type, known)
		} else if name != "" && name != "-" {
			known[name] = f.Type
		}
	}
}
