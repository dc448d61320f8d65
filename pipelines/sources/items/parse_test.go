package items

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// byLibrary is what encoding/json reads.
func byLibrary(raw []byte) (any, error) {
	if !utf8.Valid(raw) {
		return nil, errUTF8
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errMore
	}
	return v, nil
}

var parseSeeds = []string{
	`{"a":[1,-2.50,3e+10,0,-0,1E5,0.1],"b":{"c":null,"d":true,"e":false},"":""}`, ` [ ] `, `{ }`, `"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83dx\ude00\uD800"`, `"é\u0000"`,
	`01`, `1.`, `.5`, `-`, `1e`, `1e+`, `+1`, `nul`, `truex`, `tru`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `[1,]`, `[,1]`, `[1 2]`, `"a`, `"\x"`, `"\u12g4"`, `"\u12`, "\"\n\"",
	`{} {}`, `1 2`, ``, ` `, `{"a":1,"a":2}`, `[[[[]]]]`, `{"a":{"b":[{"c":1}]}}`, "\"\xff\"", "\xff", `[1,"a",null,{"b":[]}]`, `{"\u0061":1}`, `"\ud83d\u0041"`, `"\ud83d\`, `[1}`, `{1:2}`, `"\`, "\ufeff1",
}

func TestParse(t *testing.T) {
	for _, s := range parseSeeds {
		sameAsLibrary(t, []byte(s))
	}
	for name, s := range map[string]string{
		"depth": strings.Repeat("[", MaxDepth+1), "values": "[" + strings.Repeat("1,", MaxValues) + "1]", "digits": strings.Repeat("1", MaxDigits+1),
	} {
		if _, err := value([]byte(s), 1<<20); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v, err := value([]byte(strings.Repeat("1", MaxDigits)), 1<<20); err != nil || len(v.(json.Number)) != MaxDigits {
		t.Errorf("%v", err)
	}
}

func sameAsLibrary(t *testing.T, raw []byte) {
	t.Helper()
	want, errWant := byLibrary(raw)
	got, err := value(raw, 1<<20)
	if errors.Is(err, ErrTooLarge) {
		return // the library has other limits
	}
	if (err == nil) != (errWant == nil) {
		t.Errorf("%q: %v, and by encoding/json %v", raw, err, errWant)
		return
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%q: %#v, and by encoding/json %#v", raw, got, want)
	}
}

// FuzzParse: what it reads is what encoding/json reads.
func FuzzParse(f *testing.F) {
	for _, s := range parseSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(sameAsLibrary)
}

func BenchmarkParse(b *testing.B) {
	raw := []byte(`{"id":820982911946154508,"email":"jon@example.com","total":"403.00","items":[` + strings.Repeat(`{"id":1071823172,"title":"Aviator \"x\"","price":"89.99","tax":null,"ok":true},`, 20) + `{}]}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := value(raw, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseByLibrary(b *testing.B) {
	raw := []byte(`{"id":820982911946154508,"email":"jon@example.com","total":"403.00","items":[` + strings.Repeat(`{"id":1071823172,"title":"Aviator \"x\"","price":"89.99","tax":null,"ok":true},`, 20) + `{}]}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := byLibrary(raw); err != nil {
			b.Fatal(err)
		}
	}
}
