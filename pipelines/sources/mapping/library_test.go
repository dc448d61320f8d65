package mapping

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// variables are those of a workspace in Warsaw.
var variables = &Variables{
	Settings: map[string]any{"zone": "America/New_York"},
	Tables:   map[string]any{"stages": map[string]any{"142": map[string]any{"stage": "won"}, "x": "y"}},
	Source:   map[string]any{"name": "crm"}, Workspace: map[string]any{"timezone": "Europe/Warsaw", "country": "PL", "currency": "EUR"},
	Received: "2026-11-01T10:00:00.000Z",
}

// run gives what comes out, as JSON, or what is wrong.
func run(t testing.TB, program, input string) string {
	t.Helper()
	p, err := Compile(Text{File: "p.jq", Line: 1, Text: program}, nil)
	if err != nil {
		return "! " + err.Error()
	}
	in, err := plainJSON([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Run(t.Context(), in, variables)
	if err != nil {
		return "! " + err.Error()
	}
	var lines []string
	for _, v := range out {
		b, err := JSON(v)
		if err != nil {
			return "! " + err.Error()
		}
		lines = append(lines, string(b))
	}
	return strings.Join(lines, "\n")
}

func TestLibrary(t *testing.T) {
	for _, row := range []struct{ program, in, want string }{
		{`text`, `9007199254740993`, `"9007199254740993"`},
		{`text`, `123456789012345678901234567890`, `"123456789012345678901234567890"`},
		{`text`, `1.10`, `"1.10"`},
		{`text`, `" a "`, `"a"`},
		{`text`, `""`, `null`},
		{`text`, `null`, `null`},
		{`text`, `true`, `"true"`},
		{`text`, `[]`, `! p.jq:1: text: a text or a number is needed, and it is an array, in ` + "`text`"},
		{`.id + 1`, `{"id":9007199254740993}`, `9007199254740994`},
		{`"\(.id)"`, `{"id":9007199254740993}`, `"9007199254740993"`},

		{`"{a}-{b}/{c}" | fill({a: "x", b: 7, c: null})`, `null`, `"x-7/"`},
		{`"{a} {d}" | fill({a: "{b}", b: 7})`, `null`, "! p.jq:1: error: {d} is none of {a}, {b}, in `\"{a} {d}\" | fill({ a: \"{b}\", b: 7 })`"},
		{`"{a}" | fill({a: "{b}", b: 7})`, `null`, `"{b}"`},
		{`[days("2026-02-27"; "2026-03-01")]`, `null`, `["2026-02-27","2026-02-28","2026-03-01"]`},
		{`[days("2026-10-25"; "2026-10-25")]`, `null`, `["2026-10-25"]`},
		{`[shares(3)]`, `10`, `[4,3,3]`},
		{`[shares(3)]`, `-10`, `[-4,-3,-3]`},
		{`[shares(2)]`, `0`, `[0,0]`},
		{`[money_shares(3)]`, `"100.00"`, `["33.34","33.33","33.33"]`},
		{`[money_shares(3)]`, `"-0.05"`, `["-0.02","-0.02","-0.01"]`},
		{`[money_shares(2)]`, `"0.000003"`, `["0.000003","0"]`},
		{`[money_shares(1)]`, `"9999999999999.999999"`, `["9999999999999.999999"]`},

		{`unix_seconds`, `1793527200`, `"2026-11-01T10:00:00.000Z"`},
		{`unix_seconds`, `"1793527200"`, `"2026-11-01T10:00:00.000Z"`},
		{`unix_seconds`, `1793527200.123`, `"2026-11-01T10:00:00.123Z"`},
		{`unix_seconds`, `null`, `null`},
		{`unix_seconds`, `"x"`, `! p.jq:1: unix_seconds: "x" is no number, in ` + "`unix_seconds`"},
		{`unix_seconds`, `1793527200123`, `! p.jq:1: unix_seconds: "1793527200123" is no time between 1970 and 2100, in ` + "`unix_seconds`"},
		{`unix_ms`, `1793527200123`, `"2026-11-01T10:00:00.123Z"`},
		{`time_ms`, `"2026-11-01T11:00:00.123+01:00"`, `1793527200123`},
		{`time_ms`, `""`, `null`},
		{`local_time`, `"2026-11-01 11:00:00"`, `"2026-11-01T10:00:00.000Z"`},
		{`local_time`, `"2026-07-01 11:00"`, `"2026-07-01T09:00:00.000Z"`},
		{`local_time`, `"01.11.2026 11:00:00"`, `"2026-11-01T10:00:00.000Z"`},
		{`local_time`, `"2026-11-01T11:00:00.5"`, `"2026-11-01T10:00:00.500Z"`},
		{`local_time`, `"2026-11-01T11:00:00-05:00"`, `"2026-11-01T16:00:00.000Z"`},
		{`local_time($settings.zone)`, `"2026-11-01 00:30:00"`, `"2026-11-01T04:30:00.000Z"`},
		{`local_time("UTC"; "DD/MM/YYYY HH:mm")`, `"02/11/2026 09:05"`, `"2026-11-02T09:05:00.000Z"`},
		{`local_time`, `""`, `null`},
		{`local_time`, `"soon"`, `! p.jq:1: local_time: "soon" is no time such as 2026-11-01 10:00:00, in ` + "`local_time`"},
		{`local_time("Mars")`, `"2026-11-01"`, `! p.jq:1: local_time: the zone "Mars" is unknown, in ` + "`local_time(\"Mars\")`"},
		{`date("DD.MM.YYYY")`, `"01.09.2026"`, `"2026-09-01"`},
		{`date("MMM D, YYYY")`, `"Sep 1, 2026"`, `"2026-09-01"`},
		{`excel_date`, `"46266"`, `"2026-09-01"`},
		{`excel_date`, `"2026-09-01"`, `"2026-09-01"`},
		{`excel_time("Europe/Warsaw")`, `46266.5`, `"2026-09-01T10:00:00.000Z"`},

		{`decimal`, `"1200.50"`, `"1200.50"`},
		{`decimal`, `1200.50`, `"1200.50"`},
		{`decimal`, `1.23456789`, `"1.234568"`},
		{`decimal`, `1e3`, `"1000"`},
		{`decimal`, `1e99`, `"1` + strings.Repeat("0", 99) + `"`},
		{`decimal`, `"1e999999999"`, `! p.jq:1: decimal: "1e999999999" is no decimal, in ` + "`decimal`"},
		{`decimal(",")`, `"1 234,56 €"`, `"1234.56"`},
		{`decimal(",")`, `12`, `"12"`},
		{`money`, `null`, `null`},
		{`money`, `""`, `null`},
		{`money`, `"x"`, `! p.jq:1: money: "x" is no decimal, in ` + "`money`"},
		{`compact`, `{"a":null,"b":"","c":[],"d":{},"e":0,"f":false,"g":{"h":null}}`, `{"e":0,"f":false,"g":{"h":null}}`},
		{`compact`, `[null,"",1,[[]]]`, `[1,[[]]]`},
		{`compact`, `"x"`, `"x"`},
		{`dig("a.b.1"), dig("x.y"), dig("a.c"), dig("a.b.9"), dig("a.b.c.d"), dig(null)`, `{"a":{"b":[1,2]},"x.y":3}`, "2\n3\nnull\nnull\nnull\nnull"},
		{`field("a"), field(7), field("c"), field(""), (null | field("a"))`, `{"a":1,"7":2}`, "1\n2\nnull\nnull\nnull"},
		{`micros`, `"12500000"`, `"12.5"`},
		{`micros`, `9210750000`, `"9210.75"`},
		{`micros`, `1`, `"0.000001"`},
		{`micros`, `"1234567890123456789"`, `"1234567890123.456789"`},
		{`micros`, `null`, `null`},
		{`minor(2)`, `120050`, `"1200.5"`},
		{`dec_add(.a; .b)`, `{"a":"0.1","b":0.2}`, `"0.3"`},
		{`dec_sub(.a; .b)`, `{"a":"1200.50","b":null}`, `"1200.5"`},
		{`dec_mul(.a; "3")`, `{"a":"0.1"}`, `"0.3"`},
		{`dec_sum`, `["0.1","0.2",null,0.3]`, `"0.6"`},

		{`utm`, `"https://x.example/?utm_source=google&utm_medium=cpc&utm_campaign=50%off&utm_term=a+b#utm_content=x"`, `{"campaign":"50%off","medium":"cpc","source":"google","term":"a b"}`},
		{`utm`, `"https://x.example/"`, `null`},
		{`utm`, `null`, `null`},
		{`click_ids`, `"/?gclid=G1&yclid=&fbclid=F"`, `{"fbclid":"F","gclid":"G1"}`},
		{`url_query.a`, `"?a=%D0%B9&a=2"`, `"й"`},
		{`absolute_url`, `"shop.example/new"`, `"https://shop.example/new"`},
		{`absolute_url`, `"//shop.example"`, `"https://shop.example"`},
		{`absolute_url`, `"http://shop.example"`, `"http://shop.example"`},
		{`absolute_url`, `"localhost"`, `null`},
		{`phone`, `"501 222 333"`, `"+48501222333"`},
		{`phone("US")`, `"(518) 555-0142"`, `"+15185550142"`},
		{`phone`, `12`, `null`},
		{`phone`, `null`, `null`},

		{`stable_id("a"; "b")`, `{"b":2,"a":1,"c":3}`, `"` + runOut(`stable_id`, `[1,2]`) + `"`},
		{`stable_id == ({a: 1, b: 2} | stable_id)`, `{"b":2,"a":1}`, `true`},
		{`stable_id("a") == stable_id("b")`, `{"b":2,"a":1}`, `false`},
		{`sha256`, `"abc"`, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{`lookup("stages"; .id).stage`, `{"id":142}`, `"won"`},
		{`lookup("stages"; "none")`, `null`, `null`},
		{`lookup("stages"; null)`, `null`, `null`},
		{`lookup("nothing"; 1; "else")`, `null`, `"else"`},
		{`one_of(.a, .b, .c)`, `{"a":"","b":[],"c":0}`, `0`},
		{`one_of(.a)`, `{}`, `null`},
		{`one_of(.a, .b), one_of(.c), one_of($settings, .a), one_of(.a.b?, .d[])`, `{"a":"","b":false,"c":null,"d":[{},4]}`, "false\nnull\n{\"zone\":\"America/New_York\"}\n4"},
		{`with_entries(select(.value | text != null))`, `{"a":" ","b":0,"c":null,"d":"x"}`, `{"b":0,"d":"x"}`},
		{`with_entries(select(.value | text != null))`, `{"a":[]}`, "! p.jq:1: text: a text or a number is needed, and it is an array, in `with_entries(select(.value | text != null))`"},
		{`$received, $source.name, $request`, `null`, "\"2026-11-01T10:00:00.000Z\"\n\"crm\"\nnull"},
	} {
		if got := run(t, row.program, row.in); got != row.want {
			t.Errorf("%s of %s:\n got  %s\n want %s", row.program, row.in, got, row.want)
		}
	}
}

func runOut(program, in string) string {
	p, err := Compile(Text{Text: program}, nil)
	if err != nil {
		panic(err)
	}
	v, err := plainJSON([]byte(in))
	if err != nil {
		panic(err)
	}
	out, err := p.Run(context.Background(), v, variables)
	if err != nil {
		panic(err)
	}
	s, _ := out[0].(string)
	return s
}

// TestSame: the same in gives the same out, and what goes in stays as it is.
func TestSame(t *testing.T) {
	p, err := Compile(Text{File: "p.jq", Line: 1, Text: `.a[0].b = 1 | .c += [2] | del(.d) | .t = ($tables | .stages.x = 3)`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"a":[{"b":0}],"c":[1],"d":4}`
	in, err := plainJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	tables, err := json.Marshal(variables.Tables)
	if err != nil {
		t.Fatal(err)
	}
	first := ""
	for range 3 {
		out, err := p.Run(t.Context(), in, variables)
		if err != nil {
			t.Fatal(err)
		}
		b, err := JSON(out[0])
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(b)
		}
		if string(b) != first {
			t.Errorf("%s and then %s", first, b)
		}
	}
	if b, _ := json.Marshal(in); string(b) != text {
		t.Errorf("the input became %s", b)
	}
	if b, _ := json.Marshal(variables.Tables); string(b) != string(tables) {
		t.Errorf("the tables became %s", b)
	}
}
