package sources

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// source.schema.json is for editors: what may stand in source.yaml, with the words of the types' own comments. It is made of the types,
// so that the two cannot differ: go test ./pipelines/sources -run TestSchema -update-schema
var updateSchema = flag.Bool("update-schema", false, "write source.schema.json anew")

const schemaFile = "source.schema.json"

// narrowed is what the types do not say: closed lists, forms and what must be there.
var (
	enums = map[string][]string{
		"Entry.kind": {Webhook, File, Pulled}, "Format.format": items.Formats, "Entry.makes[]": {"visit", "call", "message", "form", "deal", "spend", "identify", "number_lease"},
		"Signature.algorithm": {"md5", "sha1", "sha256", "sha512"}, "Signature.encoding": {"hex", "base64", "base64url"}, "Signature.key_encoding": {"text", "hex", "base64", "pem"},
		"Window.unit": {"seconds", "milliseconds", "rfc3339"}, "Pages.kind": {"page", "offset", "cursor", "link"},
		"Auth.kind": {"bearer", "header", "query", "basic", "oauth2_refresh"}, "Sign.algorithm": {"md5", "sha1", "sha256", "sha512"},
		"Sign.encoding": {"hex", "base64", "base64url"}, "Match.method": {"POST", "GET", "HEAD"}, "Table.decimal": {".", ","}, "Header.decimal": {".", ","},
	}
	patterns = map[string]string{"Definition.name": nameForm.String(), "Entry.name": nameForm.String(), "Request.name": nameForm.String()}
	required = map[string][]string{
		"Definition": {"name", "title", "entries"}, "Setting": {"about"}, "Entry": {"name", "kind", "makes", "read", "map"}, "Format": {"format"},
		"Fetch": {"requests", "hosts"}, "Pull": {"every", "requests", "hosts"}, "Request": {"name", "request"}, "Pages": {"kind"}, "Auth": {"kind"},
		"Signature": {"in", "encoding", "of"}, "Secret": {"in", "is"}, "checks.Window": {"in", "unit", "within"}, "Header": {"columns"},
		"Rate": {"requests", "per"}, "Handshake": {"match"},
	}
)

// schemaMaker makes a schema of types.
type schemaMaker struct {
	comments map[string]string // Type.Field → its comment
	defs     map[string]any
}

func newSchemaMaker(t *testing.T) *schemaMaker {
	m := &schemaMaker{comments: map[string]string{}, defs: map[string]any{}}
	for _, dir := range []string{".", "checks", "items"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
				m.read(t, dir+"/"+e.Name(), map[string]string{".": "sources", "checks": "checks", "items": "items"}[dir])
			}
		}
	}
	return m
}

func (m *schemaMaker) read(t *testing.T, file, pkg string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		fields, ok := s.Type.(*ast.StructType)
		if !ok {
			return true
		}
		said := "" // a comment above several fields is of each
		for _, f := range fields.Fields.List {
			if f.Doc != nil {
				said = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
			for _, name := range f.Names {
				m.comments[pkg+"."+s.Name.Name+"."+name.Name] = said
			}
		}
		return true
	})
}

func (m *schemaMaker) of(t reflect.Type, path string) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`}
	case t == reflect.TypeFor[items.Names]():
		return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, map[string]any{"type": "array", "items": map[string]any{"type": "string"}}}}
	}
	out := map[string]any{}
	switch t.Kind() {
	case reflect.Pointer:
		return m.of(t.Elem(), path)
	case reflect.Struct:
		name := t.String()[strings.LastIndex(t.String(), "/")+1:]
		if m.defs[name] == nil {
			m.defs[name] = true // it may hold itself
			m.defs[name] = m.object(t, name)
		}
		return map[string]any{"$ref": "#/$defs/" + name}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": m.of(t.Elem(), path+"[]")}
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface {
			return map[string]any{"type": "object"}
		}
		return map[string]any{"type": "object", "additionalProperties": m.of(t.Elem(), path+".*")}
	case reflect.String:
		out["type"] = "string"
	case reflect.Bool:
		out["type"] = "boolean"
	case reflect.Int, reflect.Int64:
		out["type"] = "integer"
	case reflect.Interface:
	default:
		panic(fmt.Sprint(path, " is a ", t))
	}
	if e := enums[path]; e != nil {
		out["enum"] = e
	}
	if p := patterns[path]; p != "" {
		out["pattern"] = p
	}
	return out
}

func (m *schemaMaker) object(t reflect.Type, name string) map[string]any {
	properties := map[string]any{}
	m.properties(t, properties)
	short := name[strings.LastIndex(name, ".")+1:]
	out := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if r := required[name]; r != nil {
		out["required"] = r
	} else if r := required[short]; r != nil && (short != "Window" || strings.HasPrefix(name, "checks.")) && (short != "Table" || strings.HasPrefix(name, "sources.")) {
		out["required"] = r
	}
	return out
}

func (m *schemaMaker) properties(t reflect.Type, into map[string]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			m.properties(f.Type, into)
		case name != "" && name != "-":
			p := m.of(f.Type, t.Name()+"."+name)
			pkg := t.String()[:strings.Index(t.String(), ".")]
			if said := m.comments[pkg+"."+t.Name()+"."+f.Name]; said != "" {
				p = withDescription(p, said)
			}
			into[name] = p
		}
	}
}

func withDescription(p map[string]any, said string) map[string]any {
	p["description"] = said
	return p
}

func TestSchema(t *testing.T) {
	m := newSchemaMaker(t)
	root := m.of(reflect.TypeFor[Definition](), "")
	schema := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "source.yaml",
		"description": "A source: who may send, how it is read, what it means and what is answered, or asked. Made of the Go types by go test ./pipelines/sources -run TestSchema -update-schema.",
		"$ref":        root["$ref"], "$defs": m.defs,
	}
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(schema); err != nil {
		t.Fatal(err)
	}
	if *updateSchema {
		if err := os.WriteFile(schemaFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := Schema(); string(got) != want.String() {
		t.Errorf("%s is not what the types say: go test ./pipelines/sources -run TestSchema -update-schema", schemaFile)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaFile, doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile(schemaFile)
}

// valid says what the schema says of a definition.
func validBySchema(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

// TestSchemaTakesWhatIsShipped, and the new source too.
func TestSchemaTakesWhatIsShipped(t *testing.T) {
	schema := compiled(t)
	for _, s := range Shipped() {
		text, err := readFile(s.folder, DefinitionFile)
		if err != nil {
			t.Fatal(err)
		}
		if err := validBySchema(t, schema, string(text)); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	if err := validBySchema(t, schema, strings.ReplaceAll(newFiles[DefinitionFile], "[[.]]", "acme")); err != nil {
		t.Error(err)
	}
}

// TestBothRefuse: what the schema refuses the program refuses too, with the line.
func TestBothRefuse(t *testing.T) {
	schema := compiled(t)
	good := strings.ReplaceAll(newFiles[DefinitionFile], "[[.]]", "acme")
	for _, row := range []struct{ name, old, with, want string }{
		{"an unknown key", "title: acme", "titel: acme", "source.yaml:4: titel: unknown key"},
		{"an unknown key within", "makes: [form]", "makes: [form]\n    make: [form]", "source.yaml:19: entries[0].make: unknown key"},
		{"another kind", "kind: webhook", "kind: hook", `source.yaml:17: entries[0].kind: "hook" is none of`},
		{"no type of event", "makes: [form]", "makes: [lead]", `source.yaml:18: entries[0].makes[0]: "lead" is no type`},
		{"no format", "format: json", "format: jason", `source.yaml:21: entries[0].read.format: "jason" is none of`},
		{"no algorithm", "algorithm: sha256", "algorithm: sha257", `source.yaml:20: entries[0].checks[0].hmac.algorithm: "sha257"`},
		{"a list for a text", "map: hook.jq", "map: [hook.jq]", "source.yaml:22: cannot unmarshal !!seq into string"},
		{"a name with capitals", "name: hook\n", "name: Hook\n", `source.yaml:16: entries[0].name: "Hook" does not match`},
		{"no answer in time", "map: hook.jq", "map: hook.jq\n    answer: {within: soon}", "source.yaml:23: cannot unmarshal"},
		{"no map", "map: hook.jq", "map: \"\"", "entries[0].map: is empty"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(good, row.old, row.with, 1)
			if text == good {
				t.Fatalf("%q is not there", row.old)
			}
			if err := validBySchema(t, schema, text); err == nil && row.name != "no map" {
				t.Error("the schema takes it")
			}
			_, err := loadText(t, text)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
		})
	}
}
