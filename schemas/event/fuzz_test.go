package event

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/throughline-io/throughline/schemas/wire/wiretest"
)

// FuzzParse: whatever is sent, Parse answers; and what it accepts is what the package promises.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`"type":"visit","identities":{"anonymous_id":"a","email":["J@Example.com"]},"visit":{"url":"https://a.example/?utm_source=x%ff&e=j@example.com","referrer":"https://b.example","utm":{"source":"X"},"click_ids":{"gclid":"1"}}}`,
		`"type":"call","call":{"direction":"in","from":"501000001","to":"+48221112233","status":"answered","wait_seconds":5.0,"talk_seconds":1e2},"x":[48501000001,"tel +48 501-000-001"]}`,
		`"type":"message","identities":{"telegram":"t"},"message":{"platform":"telegram","direction":"in","ref":"a_x1"}}`,
		`"type":"form","identities":{"whatsapp":"48501000001"},"form":{"form_id":"f"}}`,
		`"type":"deal","deal":{"id":"7","status":"won","amount":"-1.50","created_at":"2026-10-01T00:00:00Z","currency":"usd","deleted":false}}`,
		`"type":"spend","spend":{"date":"2026-11-01","amount":"1","clicks":3,"utm":{"source":"x"}}}`,
		`"type":"identify","identities":{"user_id":["u",null,"-1"]}}`,
		`"type":"number_lease","identities":{"anonymous_id":"a"},"number_lease":{"number":"+48221110001","until":"2026-11-01T11:00:00Z"}}`,
	} {
		f.Add([]byte(head + seed))
	}
	f.Add([]byte(`[`))
	schema := wiretest.Compile(f, "event.proto", "Event")
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, _, bad := Parse(raw, testRules(), testNow, Options{})
		if bad != nil {
			if Codes[bad.Code] == "" || bad.Message == "" || !utf8.ValidString(bad.Message) {
				t.Fatalf("%q is no answer", bad)
			}
			return
		}
		checkAccepted(t, schema, raw, &e)
	})
}

func checkAccepted(t *testing.T, schema wiretest.Schema, raw []byte, e *Event) {
	if got, err := Decode(e.Append(nil)); err != nil || !reflect.DeepEqual(&got, e) {
		t.Fatalf("it does not travel: %v\ngot  %+v\nwant %+v", err, got, e)
	}
	if again, _, _ := Parse(raw, testRules(), testNow, Options{}); !reflect.DeepEqual(&again, e) {
		t.Fatal("a second reading differs")
	}
	if e.Type != Spend && !slices.IsSortedFunc(e.Nodes[1:], func(a, b Node) int { return bytes.Compare(a.ID[:], b.ID[:]) }) {
		t.Fatal("the nodes are not in order")
	}
	schema.Known(t, e.Append(nil)) // protobuf wants all text to be UTF-8
	var doc any
	if err := json.Unmarshal(e.Raw, &doc); err != nil {
		t.Fatalf("Raw is no JSON: %v", err)
	}
	noEmail(t, doc)
}

func noEmail(t *testing.T, v any) {
	switch v := v.(type) {
	case string:
		if m := emailForm.FindString(v); m != "" {
			t.Fatalf("%q is left", m)
		}
	case []any:
		for _, x := range v {
			noEmail(t, x)
		}
	case map[string]any:
		for k, x := range v {
			noEmail(t, k)
			noEmail(t, x)
		}
	}
}
