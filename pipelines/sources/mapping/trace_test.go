package mapping

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestPlace: what fails is named with its line, as deep as parts of a program can stand alone.
func TestPlace(t *testing.T) {
	for _, row := range []struct {
		name, program, input string
		line                 int
		expression           string
	}{
		{"a stage", ".a\n| .b\n| keys", `{"a":{"b":1}}`, 12, "`keys`"},
		{"a field of an object", "{\n  id: (.id | text),\n  time: (.t | unix_seconds),\n  form: {x: (.x | keys)}\n}", `{"id":1,"t":"soon","x":{}}`, 12, "`.t | unix_seconds`"},
		{"a field deeper", "{\n  id: (.id | text),\n  form: {x: (.x | keys)}\n}", `{"id":1,"x":1}`, 12, "`.x | keys`"},
		{"behind a variable", ".id as $id\n| {\n  id: $id,\n  x: ($id | tonumber)\n}", `{"id":"x"}`, 13, "`$id | tonumber`"},
		{"a branch", "if .a then\n  1\nelif .b then\n  .b | keys\nelse\n  2 end", `{"b":1}`, 13, "`keys`"},
		{"the other branch", "if .a then 1\nelse\n  .b.c.d end", `{"b":1}`, 12, "`.b.c.d`"},
		{"in a text", "\"x\\(.a)\"\n+ \"y\\(.b | keys)\"", `{"b":1}`, 11, "`.b | keys`"},
		{"in a list", "[.a[]\n, .b]", `{"a":1}`, 10, "`.a[]`"},
		{"an error of one's own", ".a\n| error(\"no \\(.)\")", `{"a":"x"}`, 11, "error(\"no \\(.)\")"},
		{"with definitions", "def f: keys;\n.a\n| f", `{"a":1}`, 12, "`f`"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := Compile(Text{File: "p.jq", Line: 10, Text: row.program}, nil)
			if err != nil {
				t.Fatal(err)
			}
			in, err := plainJSON([]byte(row.input))
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Run(t.Context(), in, variables)
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Line != row.line || !strings.Contains(wrong.Expression, strings.Trim(row.expression, "`")) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestPlaceIsBounded: a flood of bad items does not cost a search each.
func TestPlaceIsBounded(t *testing.T) {
	p, err := Compile(Text{File: "p.jq", Line: 1, Text: `{a: (.a | tonumber), b: (.b | error)}`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := processor()
	for i := range 5_000 {
		text := `{"a":"x` + strings.Repeat("y", i%50) + `"}`
		if i%2 == 1 {
			text = `{"a":1,"b":"` + strings.Repeat("fault ", i%1000) + `"}`
		}
		in, err := plainJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(t.Context(), in, variables); err == nil {
			t.Fatal("it went well")
		}
	}
	if took := processor() - began; took > 20*time.Second && !testing.Short() {
		t.Errorf("it took %s of a processor", took)
	}
	if n := len(p.trace.known); n > maxTraced {
		t.Errorf("%d faults are known", n)
	}
}
