package collector

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// FuzzSplit holds the splitter to what it promises of any body: it loses nothing but blanks, commas and the brackets of an array, it
// agrees with encoding/json about arrays, and it makes no more items than are allowed.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{
		"", "[]", "{}", "[1,2]", `[{"a":[1,"]"]},"\\",null , []]`, "{}\n{}", `{"a":"}"}{"b":"\""}`, "{\n{}", "[", `{"a`, "[,]", "[]]", "x", "\ufeff{}", `[[],{}]`,
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, asLines bool) {
		contentType := jsonType
		if asLines {
			contentType = ndjson
		}
		before := bytes.Clone(body)
		items, err := split(body, contentType)
		if !bytes.Equal(body, before) {
			t.Fatal("the body was changed")
		}
		switch {
		case errors.Is(err, errNothing), errors.Is(err, errTooMany):
			return
		case err != nil:
			t.Fatal(err)
		case len(items) == 0 || len(items) > MaxItems:
			t.Fatalf("%d items", len(items))
		}
		for i, item := range items {
			if len(item) == 0 || len(bytes.Trim(item, blanks)) != len(item) {
				t.Fatalf("item %d is %q", i, item)
			}
		}
		body = bytes.TrimPrefix(body, []byte("\ufeff"))
		var array []json.RawMessage
		if !asLines && json.Unmarshal(body, &array) == nil && bytes.HasPrefix(bytes.Trim(body, blanks), []byte("[")) {
			if len(array) != len(items) {
				t.Fatalf("%d items, %d elements", len(items), len(array))
			}
			for i := range array {
				if !bytes.Equal(array[i], items[i]) {
					t.Fatalf("item %d is %q, the element is %q", i, items[i], array[i])
				}
			}
			return
		}
		if got, want := squeeze(bytes.Join(items, nil)), squeeze(body); got != want {
			t.Fatalf("items are %q of %q", got, want)
		}
	})
}

// squeeze takes the blanks out.
func squeeze(b []byte) string {
	var out []byte
	for _, c := range b {
		if !strings.ContainsRune(blanks, rune(c)) {
			out = append(out, c)
		}
	}
	return string(out)
}

func BenchmarkSplit(b *testing.B) {
	var rows bytes.Buffer
	for range 1000 {
		rows.WriteString("," + visit("some-visit-id"))
	}
	array := append(append([]byte("["), rows.Bytes()[1:]...), ']')
	lines := bytes.ReplaceAll(rows.Bytes(), []byte(`,{"id"`), []byte("\n"+`{"id"`))
	for name, body := range map[string][]byte{jsonType: array, ndjson: lines} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if items, err := split(body, name); err != nil || len(items) != 1000 {
					b.Fatal(len(items), err)
				}
			}
		})
	}
}
