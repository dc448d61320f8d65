package items

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"unicode/utf8"
)

func unzipped(t testing.TB, b []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(text)
	}
	return out
}

// small are limits that a fuzzer reaches.
var small = Limits{Bytes: 1 << 20, ItemBytes: 1 << 16, Items: 100}

// fuzz holds what every reader promises: it ends, an error is a fault with a place, an item is JSON in UTF-8 within the limits, and
// nothing comes behind a fault that was the whole's.
func fuzz(f *testing.F, format *Format, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, in := range []io.Reader{bytes.NewReader(body), io.MultiReader(bytes.NewReader(body))} {
			n, over := 0, false
			for item, err := range format.Read(Input{Body: in, File: "f", ContentType: "multipart/form-data; boundary=X", Query: string(body), Limits: small}) {
				if over {
					t.Fatal("more came behind the end")
				}
				var fault *Fault
				if err != nil {
					if !errors.As(err, &fault) || fault.Place.File == "" {
						t.Fatalf("%T %v", err, err)
					}
					over = fault.Whole
					continue
				}
				if n++; n > small.Items {
					t.Fatal("too many items")
				}
				b, err := json.Marshal(item.Value)
				if err != nil || !utf8.Valid(b) {
					t.Fatalf("%v: %q", err, b)
				}
				if len(b) > 6*int(small.Bytes) {
					t.Fatalf("an item of %d bytes", len(b))
				}
			}
		}
	})
}

func FuzzJSON(f *testing.F) {
	fuzz(f, format(f, `{format: json, items: ".data.rows[]"}`), `{"n":1,"data":{"rows":[{"a":1},null,[]]},"m":[1.50]}`, `{"data":{"rows":{"a":"\ud800"}}}`, `[[[`, "\xff\xfe{\x00}\x00")
}

func FuzzNDJSON(f *testing.F) {
	fuzz(f, format(f, `{format: ndjson}`), "1\n{\"a\":[]}\nx\n", "\ufeff1")
}

func FuzzForm(f *testing.F) {
	fuzz(f, format(f, `{format: form, encoding: windows-1251}`), "a[b][0]=1&a[b][1]=%CF&c[]=2&d=50%", "a[=1&]=2&=3&&", "a[b]=1&a=2")
}

func FuzzQuery(f *testing.F) {
	fuzz(f, format(f, `{format: query}`), "a=1&b[c]=2", "?")
}

func FuzzMultipart(f *testing.F) {
	fuzz(f, format(f, `{format: multipart}`), "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X--\r\n", "--X--", "--X\r\n\r\n--X--")
}

func FuzzXML(f *testing.F) {
	fuzz(f, format(f, `{format: xml, items: ".o.r[]", lists: [l]}`), `<o><r a="1"><l>x</l>t</r><r/></o>`, `<?xml version="1.0" encoding="windows-1251"?><o><r>`+"\xcf"+`</r></o>`, `<!DOCTYPE a [<!ENTITY x "y">]><o/>`)
}

func FuzzCSV(f *testing.F) {
	fuzz(f, format(f, `{format: csv, table: {delimiter: auto, numbers: [n], blank: ["--"], totals: [Total], headers: [{decimal: ",", columns: {a: A, n: N}, optional: [n]}]}}`),
		"t\nA;N\nx;\"1.234,5\"\nTotal;1\n", "A,N\n\"x", "\xff\xfeA\x00\n\x00x\x00")
}

func FuzzTSV(f *testing.F) {
	fuzz(f, format(f, `{format: tsv, encoding: utf-16, table: {positions: [a, b]}}`), "a\tb\n", "a\x00\t\x00")
}

func FuzzText(f *testing.F) {
	fuzz(f, format(f, `{format: text, encoding: koi8-r}`), "a", "\xcf\xd2")
}

func FuzzWorkbook(f *testing.F) {
	fuzz(f, format(f, `{format: xlsx, table: {numbers: [n], headers: [{columns: {a: A, n: N}}]}}`), string(workbook(f, "Sheet1", []any{"A", "N"}, []any{"x", 1.5})), "PK\x03\x04")
}

func FuzzZip(f *testing.F) {
	fuzz(f, format(f, `{format: ndjson, files: "*.j"}`), string(zipped(f, "a.j", "1\n", "b", "x")), "PK\x03\x04", "\x1f\x8b\x08")
}

func FuzzDecimal(f *testing.F) {
	f.Add("1.234,5", true)
	f.Fuzz(func(t *testing.T, s string, comma bool) {
		sign := byte('.')
		if comma {
			sign = ','
		}
		got, err := Decimal(s, sign)
		if err != nil {
			return
		}
		again, err := Decimal(got, '.')
		if err != nil || again != got {
			t.Errorf("%q is %q, and that %q, %v", s, got, again, err)
		}
	})
}
