package samples

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/throughline-io/throughline/schemas/event"
)

// validator is the JSON Schema, formats asserted.
func validator(t *testing.T) func(raw []byte) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(event.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const name = "event.schema.json"
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return func(raw []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return err
		}
		return s.Validate(v)
	}
}

// beyondSchema are the codes that only a server can give: they need its clock, the workspace or the bytes.
var beyondSchema = map[event.Code]bool{
	event.TimeInFuture: true, event.TimeTooOld: true, event.NoIdentity: true, event.UnknownCurrency: true, event.TooLarge: true,
}

// TestSchemaAgreesWithParse: what one takes the other takes. It also shows that a bad sample of the codes above has no
// second fault.
func TestSchemaAgreesWithParse(t *testing.T) {
	validate := validator(t)
	for _, s := range load(t, Good) {
		if err := validate(s.Body); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	for _, s := range load(t, Bad) {
		if s.Name == "bad_json-not-utf8" {
			continue // a JSON Schema is about the document that was read, not about its bytes
		}
		switch err := validate(s.Body); {
		case beyondSchema[s.Code()] && err != nil:
			t.Errorf("%s: a second fault: %v", s.Name, err)
		case !beyondSchema[s.Code()] && err == nil:
			t.Errorf("%s: the schema takes it", s.Name)
		}
	}
}

// TestWorlds: every event of the contract's worlds is taken, by the schema as well.
func TestWorlds(t *testing.T) {
	files, err := filepath.Glob("../../../services/e2e/testdata/worlds/*/events.ndjson")
	if err != nil || len(files) == 0 {
		t.Fatalf("no worlds: %v", err)
	}
	validate := validator(t)
	end := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC) // after all of them
	r := rules()
	r.Currencies["PLN"] = true
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			lines := bufio.NewScanner(bytes.NewReader(text))
			lines.Buffer(nil, event.MaxEventBytes)
			for ; lines.Scan(); n++ {
				if _, _, bad := event.Parse(lines.Bytes(), r, end, event.Options{}); bad != nil {
					t.Errorf("line %d: %v", n+1, bad)
				}
				if err := validate(lines.Bytes()); err != nil {
					t.Errorf("line %d: %v", n+1, err)
				}
			}
			if lines.Err() != nil || n == 0 {
				t.Fatalf("%d events read: %v", n, lines.Err())
			}
		})
	}
}
