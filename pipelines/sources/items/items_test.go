package items

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"gopkg.in/yaml.v3"
)

// format reads a format as source.yaml has it.
func format(t testing.TB, text string) *Format {
	t.Helper()
	f := &Format{}
	if err := yaml.Unmarshal([]byte(text), f); err != nil {
		t.Fatal(err)
	}
	f.Validate(func(path, format string, args ...any) { t.Fatalf("%s: %s", path, fmt.Sprintf(format, args...)) })
	return f
}

// said is what reading gives, a line each: items as JSON, faults with their places.
func said(f *Format, in Input) string {
	if in.Limits == (Limits{}) {
		in.Limits = Hook
	}
	if in.File == "" {
		in.File = "f"
	}
	var out []string
	for item, err := range f.Read(in) {
		if err != nil {
			out = append(out, "! "+err.Error())
			continue
		}
		b, err := json.Marshal(item.Value)
		if err != nil {
			panic(err)
		}
		line := fmt.Sprintf("%d %s", item.Place.Index, b)
		if len(item.Envelope) > 0 {
			e, err := json.Marshal(item.Envelope)
			if err != nil {
				panic(err)
			}
			line += " in " + string(e)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// streamed hides that a text is in memory.
func streamed(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) }

func TestRead(t *testing.T) {
	const google = `{format: json, items: ".[].results[]"}`
	const csv = `{format: csv, table: {numbers: [cost, clicks], blank: ["--"], headers: [
		{language: en, decimal: ".", totals: ["Total:"], columns: {day: Day, campaign: [Campaign, Campaign name], cost: Cost, clicks: Clicks, currency: Currency}, optional: [currency]},
		{language: de, decimal: ",", totals: ["Gesamt:"], columns: {day: Tag, campaign: Kampagne, cost: Kosten, clicks: Klicks, currency: Währungscode}, optional: [currency]}]}}`
	for _, row := range []struct{ name, format, in, want string }{
		{"one object", `{format: json}`, `{"a":1}`, `0 {"a":1}`},
		{"an array is one item without a way", `{format: json}`, `[1,2]`, `0 [1,2]`},
		{"the elements of an array", `{format: json, items: ".[]"}`, `[{"a":1},{"a":2}]`, "0 {\"a\":1}\n1 {\"a\":2}"},
		{"an object where an array may stand", `{format: json, items: ".[]"}`, `{"a":1}`, `0 {"a":1}`},
		{"an empty array", `{format: json, items: ".[]"}`, `[]`, ``},
		{"a list that is null", `{format: json, items: ".rows[]"}`, `{"rows":null}`, ``},
		{"a list within", `{format: json, items: ".data.rows[]"}`, `{"v":1,"data":{"rows":[{"a":1}],"n":2}}`, `0 {"a":1} in {"n":2,"v":1}`},
		{"lists of lists", google, `[{"results":[{"a":1}],"m":1},{"results":[{"a":2},{"a":3}]}]`, "0 {\"a\":1} in {\"m\":1}\n1 {\"a\":2}\n2 {\"a\":3}"},
		{"no such list", `{format: json, items: ".rows[]"}`, `{"rowz":[]}`, `! f item 0: there is no .rows`},
		{"a quoted step", `{format: json, items: '."a b"[]'}`, `{"a b":[1]}`, `0 1`},
		{"every digit", `{format: json}`, `{"id":9007199254740993,"big":123456789012345678901234567890,"price":1.10}`, `0 {"big":123456789012345678901234567890,"id":9007199254740993,"price":1.10}`},
		{"a byte order mark", `{format: json}`, "\ufeff{\"a\":1}", `0 {"a":1}`},
		{"nothing", `{format: json}`, ` `, `! f item 0: it is empty`},
		{"half", `{format: json, items: ".[]"}`, `[{"a":1},{"a"`, `! f item 0: behind byte 0: unexpected EOF`},
		{"bytes that are no text", `{format: json}`, "{\"a\":\"\xff\"}", `! f item 0: it is not valid UTF-8`},

		{"lines", `{format: ndjson}`, "{\"a\":1}\n\n{\"a\":2}\r\n", "0 {\"a\":1}\n1 {\"a\":2}"},
		{"a bad line spoils no other", `{format: ndjson}`, "{\"a\":1}\n{\"a\n{\"a\":3}", "0 {\"a\":1}\n! f:2: unexpected EOF\n2 {\"a\":3}"},
		{"two values in a line", `{format: ndjson}`, "{} {}\n", "! f:1: more follows the value"},

		{"a form", `{format: form}`, `a=1&b=two+words&c=%D0%B9`, `0 {"a":"1","b":"two words","c":"й"}`},
		{"as PHP nests", `{format: form}`, `leads%5Bstatus%5D%5B0%5D%5Bid%5D=31&leads[status][0][name]=x&leads[status][1][id]=32&account[subdomain]=t`,
			`0 {"account":{"subdomain":"t"},"leads":{"status":[{"id":"31","name":"x"},{"id":"32"}]}}`},
		{"lists without numbers", `{format: form}`, `t[]=a&t[]=b`, `0 {"t":["a","b"]}`},
		{"numbers with a gap are no list", `{format: form}`, `t[0]=a&t[2]=b`, `0 {"t":{"0":"a","2":"b"}}`},
		{"brackets that are none", `{format: form}`, `a[b=1&[x]=2`, `0 {"[x]":"2","a[b":"1"}`},
		{"an escape that is none", `{format: form}`, `a=50%`, `! f item 0: invalid URL escape "%"`},
		{"a value and a list", `{format: form}`, `a[b]=1&a=2`, `! f item 0: the field "a" is a value and a list`},
		{"a form in windows-1251", `{format: form, encoding: windows-1251}`, `a=%CF%F0%E8%E2%E5%F2`, `0 {"a":"Привет"}`},

		{"xml", `{format: xml}`, `<?xml version="1.0"?><call id="7"><from>1</from><tag>a</tag><tag>b</tag></call>`, `0 {"call":{"@id":"7","from":"1","tag":["a","b"]}}`},
		{"elements", `{format: xml, items: ".orders.order[]", lists: [line]}`, `<orders><x/><order><n>1</n><line>a</line></order><order><n>2</n></order></orders>`, "0 {\"line\":[\"a\"],\"n\":\"1\"}\n1 {\"n\":\"2\"}"},
		{"text beside attributes", `{format: xml}`, `<a b="1">x</a>`, `0 {"a":{"#text":"x","@b":"1"}}`},
		{"no such element", `{format: xml, items: ".a.b[]"}`, `<a><c/></a>`, `! f item 0: there is no .a.b`},
		{"an entity of one's own", `{format: xml}`, `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, `! f item 0: line 1: XML syntax error on line 1: invalid character entity &x;`},
		{"half an element", `{format: xml}`, `<a><b>`, `! f item 0: line 1: XML syntax error on line 1: unexpected EOF`},

		{"english", csv, "Campaign report\n\"Oct 3, 2026 - Oct 16, 2026\"\nDay,Campaign,Cost,Clicks\n2026-10-03,\"Roofs, new\",\"1,316.14\",\"5,354\"\n2026-10-04,Brand,--,0\nTotal: Account,--,\"1,316.14\",\"5,354\"\n",
			"0 {\"campaign\":\"Roofs, new\",\"clicks\":\"5354\",\"cost\":\"1316.14\",\"day\":\"2026-10-03\"} in {\"titles\":[\"Campaign report\",\"Oct 3, 2026 - Oct 16, 2026\"]}\n1 {\"campaign\":\"Brand\",\"clicks\":\"0\",\"cost\":null,\"day\":\"2026-10-04\"} in {\"titles\":[\"Campaign report\",\"Oct 3, 2026 - Oct 16, 2026\"]}"},
		{"german", csv, "Tag,Kampagne,Währungscode,Kosten,Klicks\n2026-09-01,Dach,USD,\"1.234,56\",12.345\nGesamt: Konto,--,USD,\"1.334,46\",9\n",
			`0 {"campaign":"Dach","clicks":"12345","cost":"1234.56","currency":"USD","day":"2026-09-01"}`},
		{"a number of another language", csv, "Day,Campaign,Cost,Clicks\n2026-10-03,a,\"12,5\",1\n2026-10-04,b,2,1\n", "! f:2: column cost: \"12,5\" is no number with the decimal sign '.'\n1 {\"campaign\":\"b\",\"clicks\":\"1\",\"cost\":\"2\",\"day\":\"2026-10-04\"}"},
		{"columns that are not named", csv, "Day,Note,Campaign,Cost,Clicks\n2026-10-03,n,a,1,1\n", `0 {"Note":"n","campaign":"a","clicks":"1","cost":"1","day":"2026-10-03"}`},
		{"files behind one another", csv, "Day,Campaign,Cost,Clicks\nd,a,1,1\nDay,Campaign,Cost,Clicks\nd,b,1,1\n", "0 {\"campaign\":\"a\",\"clicks\":\"1\",\"cost\":\"1\",\"day\":\"d\"}\n1 {\"campaign\":\"b\",\"clicks\":\"1\",\"cost\":\"1\",\"day\":\"d\"}"},
		{"a cell too many", csv, "Day,Campaign,Cost,Clicks\nd,a,1,1,x\n", `! f:2: the row has 5 cells and the header 4`},
		{"no header", csv, "a,b\nc,d\n", `! f:2: none of the first rows is a header: looked for the columns en Campaign, Clicks, Cost, Day | de Kampagne, Klicks, Kosten, Tag`},
		{"a delimiter that is found", `{format: csv, table: {delimiter: auto, headers: [{columns: {a: A, b: B}}]}}`, "title\nA;B\n1;2\n", `0 {"a":"1","b":"2"} in {"titles":["title"]}`},
		{"windows-1251", `{format: csv, encoding: windows-1251, table: {delimiter: ";", decimal: ",", numbers: [sum], headers: [{columns: {who: Клиент, sum: Сумма}}]}}`,
			to1251("Клиент;Сумма\nАнна;1 200,50 ₽\n"), `! f:2: column sum: "1 200,50 �" is no number with the decimal sign ',' (byte 9)`},
		{"windows-1251 as it is written", `{format: csv, encoding: windows-1251, table: {delimiter: ";", decimal: ",", numbers: [sum], headers: [{columns: {who: Клиент, sum: Сумма}}]}}`,
			to1251("Клиент;Сумма\nАнна;1\u00a0200,50\n"), `0 {"sum":"1200.50","who":"Анна"}`},
		{"utf-16, which its mark says", `{format: csv, table: {delimiter: "\t", headers: [{columns: {a: A, b: B}}]}}`, to16("A\tB\n1\tя\n"), `0 {"a":"1","b":"я"}`},
		{"no quotes in tsv", `{format: tsv, table: {totals: ["Total rows:"], numbers: [Cost], headers: [{columns: {Date: Date, Name: Name, Cost: Cost}}]}}`,
			"\"Report (2026)\"\nDate\tName\tCost\n2026-09-02\t\"Brand\" x\t9210750000\nTotal rows: 1\n", `0 {"Cost":"9210750000","Date":"2026-09-02","Name":"\"Brand\" x"} in {"titles":["\"Report (2026)\""]}`},
		{"no header at all", `{format: tsv, table: {positions: [day, id]}}`, "d\t1\ne\t2", "0 {\"day\":\"d\",\"id\":\"1\"}\n1 {\"day\":\"e\",\"id\":\"2\"}"},
		{"text", `{format: text}`, "a\nb", `0 "a\nb"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := format(t, row.format)
			if got := said(f, Input{Body: bytes.NewReader([]byte(row.in))}); got != row.want {
				t.Errorf("got\n%s\nwant\n%s", got, row.want)
			}
			if f.Format == "json" { // a stream says the same, but for what stands behind the items and where it breaks
				if got := said(f, Input{Body: streamed(row.in)}); got != row.want && !strings.Contains(got, "!") && !strings.Contains(row.want, `"n":2`) && !strings.Contains(row.want, `"m":1`) {
					t.Errorf("as a stream, got\n%s\nwant\n%s", got, row.want)
				}
			}
			if f.Format != "json" {
				var z bytes.Buffer
				w := gzip.NewWriter(&z)
				w.Write([]byte(row.in))
				w.Close()
				if got := said(f, Input{Body: &z}); got != row.want {
					t.Errorf("gzipped, got\n%s\nwant\n%s", got, row.want)
				}
			}
		})
	}
}

func to1251(s string) string {
	out, err := charmap.Windows1251.NewEncoder().String(strings.ReplaceAll(s, "₽", "\u201a"))
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(out, "\x82", "\x98") // a byte that means nothing there
}

func to16(s string) string {
	out, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

func TestQueryAndMultipart(t *testing.T) {
	if got := said(format(t, `{format: query}`), Input{Query: "from=1&tags[]=a"}); got != `0 {"from":"1","tags":["a"]}` {
		t.Error(got)
	}
	const boundary = "multipart/form-data; boundary=X"
	body := "--X\r\nContent-Disposition: form-data; name=\"a[b]\"\r\n\r\n1\r\n--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--X--\r\n"
	f := format(t, `{format: multipart}`)
	if got := said(f, Input{Body: strings.NewReader(body), ContentType: boundary}); got != `0 {"a":{"b":"1"},"f":{"content":"hello","content_type":"text/plain","filename":"x.txt"}}` {
		t.Error(got)
	}
	if got := said(f, Input{Body: strings.NewReader(body), ContentType: "text/plain"}); !strings.Contains(got, "names no boundary") {
		t.Error(got)
	}
	if got := said(f, Input{Body: strings.NewReader(body[:60]), ContentType: boundary}); !strings.HasPrefix(got, "! ") {
		t.Error(got)
	}
}

func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i+1 < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestZip(t *testing.T) {
	z := zipped(t, "b/one.ndjson", "1\n2\n", "readme.txt", "no", "two.ndjson", "3\nx\n")
	f := format(t, `{format: ndjson, files: "*.ndjson"}`)
	want := "0 1\n1 2\n2 3\n! a.zip/two.ndjson:2: invalid character 'x' looking for beginning of value"
	for name, body := range map[string]io.Reader{"in memory": bytes.NewReader(z), "a stream": io.MultiReader(bytes.NewReader(z))} {
		if got := said(f, Input{Body: body, File: "a.zip"}); got != want {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
	if got := said(format(t, `{format: ndjson, files: "*.csv"}`), Input{Body: bytes.NewReader(z)}); !strings.Contains(got, "none of its 3 files") {
		t.Error(got)
	}
	inside := zipped(t, "a.zip", string(zipped(t, "b.zip", string(zipped(t, "c.zip", string(z))))))
	if got := said(f, Input{Body: bytes.NewReader(inside)}); got == want {
		t.Error("archives were opened without end")
	}
}

// TestBombs are inputs that are small and want to become large: each is a fault by a limit, with little memory spent.
func TestBombs(t *testing.T) {
	var blanks bytes.Buffer
	w := gzip.NewWriter(&blanks)
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for range 64 {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	deep := strings.Repeat("[", 100_000)
	for _, row := range []struct {
		name, format string
		body         []byte
	}{
		{"gzip", `{format: json}`, blanks.Bytes()},
		{"gzip of a line", `{format: ndjson}`, blanks.Bytes()},
		{"gzip of a table", `{format: csv, table: {positions: [a]}}`, blanks.Bytes()},
		{"gzip of text", `{format: text}`, blanks.Bytes()},
		{"gzip of xml", `{format: xml}`, blanks.Bytes()},
		{"zip", `{format: csv, table: {positions: [a]}}`, zipped(t, "a.csv", strings.Repeat(" ", 20<<20))},
		{"nesting", `{format: json}`, []byte(deep + strings.Repeat("]", 100_000))},
		{"nesting that is not closed", `{format: ndjson}`, []byte(deep)},
		{"nesting in xml", `{format: xml}`, []byte(strings.Repeat("<a>", 10_000))},
		{"nesting in a form", `{format: form}`, []byte("a" + strings.Repeat("[b]", 10_000) + "=1")},
		{"values", `{format: json}`, []byte("[" + strings.Repeat("1,", 1_000_000) + "1]")},
		{"elements of xml", `{format: xml}`, []byte("<a>" + strings.Repeat("<b/>", 300_000) + "</a>")},
		{"fields", `{format: form}`, []byte(strings.Repeat("a=1&", 10_000))},
		{"columns", `{format: csv, table: {positions: [a]}}`, []byte(strings.Repeat("a,", 10_000))},
		{"items", `{format: json, items: ".[]"}`, []byte("[" + strings.Repeat("1,", 20_000) + "1]")},
		{"lines", `{format: ndjson}`, bytes.Repeat([]byte("1\n"), 20_000)},
	} {
		t.Run(row.name, func(t *testing.T) {
			var last error
			for _, err := range format(t, row.format).Read(Input{Body: bytes.NewReader(row.body), File: "bomb", Limits: Hook}) {
				if err != nil {
					last = err
				}
			}
			if !errors.Is(last, ErrTooLarge) {
				t.Errorf("%v", last)
			}
		})
	}
}
