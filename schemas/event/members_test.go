package event

import (
	"encoding/json"
	"maps"
	"testing"
	"unicode/utf8"
)

// FuzzMembers holds the splitter to the library's: the same members of whatever is a valid object.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { } `, `{"a":1}`, `{"a":1,"a":2}`, `{ "a" : { "b" : [ 1 , {"c":"}"} ] } , "d" : null }`, `{"a":"x\"}","b":-1.5e+3,"c":true}`,
		`{"\u0061":"\ud800","b":[],"c":{}}`, "{\"a\"\n:\t[\"]\"]\r}", `{"a":[[[]]],"":""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want map[string]json.RawMessage
		raw = trimJSON(raw)
		if len(raw) == 0 || raw[0] != '{' || !utf8.Valid(raw) || json.Unmarshal(raw, &want) != nil {
			return
		}
		got := map[string]json.RawMessage{}
		for _, m := range members(raw).sorted() {
			got[m.name] = m.value
		}
		if !maps.EqualFunc(got, want, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	})
}
