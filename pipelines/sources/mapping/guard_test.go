package mapping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/itchyny/gojq"
)

// TestBounds are programs that never end, grow, or do all of it in one step: each is a clear fault, soon, with little memory.
func TestBounds(t *testing.T) {
	const dag = `reduce range(64) as $i ([0]; [.,.])` // small in memory, and 2^64 values to whoever looks at each
	for _, row := range []struct{ name, program, want string }{
		{"an endless loop", `def f: f; f`, "steps"},
		{"an endless stream", `repeat(1)`, "values come out"},
		{"a stream that gives nothing", `repeat(1) | empty`, "steps"},
		{"a loop that catches", `def f: try error("x") catch f; f`, "steps"},
		{"a list that grows", `[range(1e9)]`, "steps"},
		{"a list that grows by itself", `def f: . + . | f; [1] | f`, "larger than"},
		{"a text that doubles", `def f: . + . | f; "x" | f`, "larger than"},
		{"a text that doubles in quotes", `def f: "\(.)\(.)" | f; "x" | f`, "larger than"},
		{"a text that doubles in a field's name", `def f: {"\(.)\(.)": 1} | keys[0] | f; "x" | f`, "larger than"},
		{"a text that is repeated", `"x" * 1e9`, "repeated too often"},
		{"a text that is repeated a little, often", `def f: . * 2 | f; "x" | f`, "larger than"},
		{"a catch that goes on", `def f: (try ("x" * 1e9) catch 1), f; f`, "repeated too often"},
		{"a number that squares", `def f: . * . | f; 10 | f`, "too long"},
		{"a list that is filled", `null | .[99999] = 1 | [limit(1000; repeat(.))] | map(.[99999 + length] = 1)`, "larger than"},
		{"a list that is filled at once", `setpath([500000000]; 1)`, "filled too far"},
		{"a list that is filled by an index that is counted", `(400000000 + 1) as $i | .[$i] = 1`, "filled too far"},
		{"a list that is filled by what is counted up", `(400000000 + 1) as $i | .[$i] += 1`, "filled too far"},
		{"an index that is too large", `.[400000000] = 1`, "is too large"},
		{"as text", dag + ` | tojson`, "larger than"},
		{"as text in quotes", dag + ` | "\(.)"`, "larger than"},
		{"as a format", dag + ` | @html`, "larger than"},
		{"as a format in quotes", dag + ` | @base64 "\(.)"`, "larger than"},
		{"compared", `(` + dag + `) as $a | (` + dag + `) as $b | $a == $b`, "larger than"},
		{"sorted", `[` + dag + `, ` + dag + `] | sort`, "larger than"},
		{"grouped", `[` + dag + `, ` + dag + `] | group_by(.)`, "larger than"},
		{"unique", `[` + dag + `, ` + dag + `] | unique`, "larger than"},
		{"the least", `[` + dag + `, ` + dag + `] | min_by(.)`, "larger than"},
		{"contained", `(` + dag + `) as $a | $a | contains($a)`, "larger than"},
		{"found", `(` + dag + `) as $a | [$a] | indices([$a])`, "larger than"},
		{"found by an index", `(` + dag + `) as $a | [$a] | .[[$a]]`, "a list is no index"},
		{"flattened", dag + ` | flatten`, "larger than"},
		{"deleted from", dag + ` | del(.[0])`, "larger than"},
		{"thrown", dag + ` | error`, "larger than"},
		{"taken from each other", `[range(20000)] as $a | $a - $a`, "larger than"},
		{"a column of a row", `[[range(20000)]] + [range(20000) | [.]] | transpose`, "too large"},
		{"added up", `("x" * 1000000) as $s | [range(1000) | $s] | add`, "larger than"},
		{"joined", `("x" * 1000000) as $s | [range(1000) | $s] | join(",")`, "larger than"},
		{"matched everywhere", `("x" * 1000000) | [match(""; "g")]`, "larger than"},
		{"replaced everywhere", `("x" * 1000000) | gsub("x"; "yy")`, "larger than"},
		{"nested", `reduce range(1e5) as $i (0; [.]) | tojson`, "nested too deep"},
		{"nested as it comes out", `reduce range(1000) as $i (0; [.])`, "nested too deep"},
		{"nested in text", `("[" * 5000) + ("]" * 5000) | fromjson`, "levels of nesting"},
		{"a number as text", `"9" * 100000 | tonumber`, "is no number"},
		{"a number in text", `"9" * 100000 | fromjson`, "digits in a number"},
		{"all combinations", `[range(10)] | combinations(9)`, "values come out"},
		{"large values that come out", `("x" * 9000000) | ., .`, "larger than"},
		{"the same part many times", `("x" * 1000000) as $s | [range(100) | $s]`, "larger than"},
		{"every path", dag + ` | [paths]`, "steps"},
		{"walked", dag + ` | walk(.)`, "steps"},
		{"every value", dag + ` | [..]`, "steps"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := processor()
			got := run(t, row.program, `null`)
			took := processor() - began
			runtime.ReadMemStats(&after)
			slow := row.want == "steps" && strings.Contains(got, "takes longer than") // on a machine that is busy with other things
			if !strings.HasPrefix(got, "! ") || !strings.Contains(got, row.want) && !slow {
				t.Errorf("%.300s, want %q", got, row.want)
			}
			if took > 4*MaxTime && !testing.Short() { // the race detector makes everything slow
				t.Errorf("it took %s of a processor", took)
			}
			if held := int64(after.HeapSys) - int64(before.HeapSys); held > 1<<30 {
				t.Errorf("the process has grown by %d MiB", held>>20)
			}
		})
	}
}

// processor is the time that this process has had one, whatever else the machine does.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestLimitIsAnError: what is beyond a limit can be told from what is wrong.
func TestLimitIsAnError(t *testing.T) {
	for _, program := range []string{`def f: f; f`, `"x" * 1e9`, `repeat(1)`} {
		p, err := Compile(Text{File: "p.jq", Line: 1, Text: program}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(t.Context(), nil, variables); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", program, err)
		}
	}
	p, err := Compile(Text{File: "p.jq", Line: 1, Text: `def f: f; f`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Run(ctx, nil, variables); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestSameAsJQ: what is guarded gives what jq gives.
func TestSameAsJQ(t *testing.T) {
	const in = `{"a":1,"b":[3,1,2,{"c":"x"}],"s":"hello, world","n":null,"f":1.5,"big":12345678901234567890123,"o":{"x":{"y":1},"z":[]},"l":[{"k":"a","v":1},{"k":"b","v":2},{"k":"a","v":3}],"t":true}`
	for _, program := range []string{
		`.a + 1, .s + "!", .b + [1], .o + {q: 1}, null + 1, .n + .n, .f + .big`, `(1,2) + (10,20)`, `"\(1,2)-\(3,4)"`, `"a\(.a)b\(.b)c\(.n)d\(.s)"`, `"\(1)\(2)\(3)\(4)\(5)\(6)\(7)\(8)\(9)\(10)\(11)\(12)\(13)\(14)\(15)\(16)\(17)\(18)\(19)\(20)\(21)\(22)"`,
		`.a - 1, (.b - [1]), 5 - 2 - 1, -(.a)`, `.s * 2, .s * 0, .o * {x: {w: 2}}, .a * 3, .big * 2`, `.s / ", ", 7 / 2, 7 % 3`, `.a == 1, .b == [3,1,2,{c:"x"}], .a != 1, .a < 2, "a" <= "b", [1] > [0], {} >= []`,
		`[.b[] | select(type == "number")] | add, min, max, sort, unique, reverse`, `.l | group_by(.k), sort_by(.v), unique_by(.k), min_by(.v), max_by(-.v)`, `[.l[] | .v] | add, add(.[]), join("-"), (map(tostring) | join(","))`,
		`.b |= map(.), (.b[] |= .), (.o.x.y += 1), (.l[].v *= 2), (.a -= 1), (.f /= 2), (.a %= 1), (.n //= 3), (.q = 1), (.b[1] = 9), (.b[5] = 9), (.b[-1] = 9)`, `.b[1:2] = [7,8,9], (.b[1:] |= map(.)), del(.b[1:3])`,
		`.l |= map(select(.v > 1)), (.l[] |= select(.v > 1)), (.b[] |= empty)`, `(.a, .f) = 9, (.a, .f) |= . + 1, (.a, .f) += (1, 2)`, `.o | with_entries(.value |= tostring), to_entries, keys, map_values(.), map_values(empty)`, `[.l[] | {key: .k, value: .v}] | from_entries`,
		`{a: null, b: "", c: [], d: {}, e: 0, f: [[]]} | with_entries(select(.value != null)), with_entries(select(.value != null and .value != "")), with_entries(select(.value != null and .value != "" and .value != [] and .value != {})), with_entries(select(.value != {} and .value != 0)), with_entries(select(.key != "a"))`,
		`(null, 1, [1]) | with_entries(select(.value != null))`, `"\(1)\(null)\([1])\({a: 1})\(true)\("x")\(1.5)", "\(.big)\(.f)"`, `.a == "x", "x" == .s, .b != null, null < .b, .b > 1, {} == [], .a + 1, 1 - .a, .s + 1`,
		`.a |= . + 1, .b[0] |= 9, .l[0].v += 1, .["a"] |= 5, .l[1].k |= ascii_upcase, .o.x.y |= empty, (.o | .x.y |= empty), .b[9] |= 1, .n.x |= 1, .a.b |= 1`,
		`.a as $i | .b[$i] |= 7, .b[$i] += 1, (.b | .[$i] = 0), (.["a", "f"] += 1), (.l[] | select(.k == "a") | .v) |= . * 10, (.o[]? |= .), (first(.l[]) | .v) = 0`,
		`[1, [2, 3], null] | add?, ([[1], [2]] | add), (["a", null, "b"] | add), ([{a: 1}, {a: 2, b: 3}, null] | add), ([] | add), ([null] | add), ([[], null] | add), ([1, 2] | add), (["a", 1] | add?)`,
		`[{key: "a", value: 1}, {key: "b"}, {k: "c", v: 2}, {name: "d", value: null}, {Key: "e", Value: 3}] | from_entries?, ([{key: "a", value: false}, {key: "a", value: 2}] | from_entries), ([{key: 1, value: 2}] | from_entries?), ([{key: null, value: 2}] | from_entries?)`,
		`["a", 1, null] | join("-"), index("a"), index(1), index("z"), (["a", "b"] | join(", ")), ([] | join("x"))`, `{b: 1, a: 2} | to_entries, keys`, `"a,b" | split(","), split(""), ("" | split(",")), ascii_upcase, test("A"; "i"), test("^a"), test("x")`,
		`[{a: 1}, {a: null}] | map_values(.a), map(map_values(. // empty)), ({x: 1, y: 2} | map_values(., 9)), ([1, 2] | map_values(select(. > 1)))`,
		`del(.a), del(.b[0, 2]), del(.b[] | select(type == "number")), delpaths([["a"], ["o", "x"]]), pick(.o.x.y), pick(.b[1])`, `path(..), [paths], [paths(type == "number")]`, `getpath(["o", "x"]), setpath(["o", "x", "q"]; 1)`,
		`.s | test("l+"), test("L"; "i"), [match("l"; "g") | .offset], capture("(?<h>[a-z]+), (?<w>.*)"), [scan("o")], [scan("(l)(.)")], sub("l"; "L"), gsub("l"; "L"), gsub("(?<x>[lo])"; "<\(.x)>"), [splits(", *")], split("o"; "g"), split(", ")`,
		`.s | ascii_upcase, ltrimstr("he"), rtrimstr("ld"), trim, explode, (explode | implode), length, utf8bytelength, index("o"), rindex("o"), indices("o"), .[2:4], startswith("he"), contains("wor"), inside("hello, world!")`,
		`.b | contains([1]), index(1), indices(1), indices([1,2]), flatten, flatten(1), first, last, nth(1), length, has(0), any, all, (.[0] | tostring)`, `[[1,2],[3,4]] | transpose, [combinations], ([.[][]] | bsearch(3))`,
		`tojson | fromjson`, `.l[0] | tojson, tostring, @text, @json, @csv "\([.k, .v])", @html "<\(.k)>", @uri "\(.k)/é", @sh "echo \(.k)", @base64 "\(.k)", (.k | @base64 | @base64d)`, `[.b[0], .s] | @csv, @tsv`,
		`walk(if type == "number" then . + 1 else . end)`, `[limit(3; repeat(1))], [range(0; 10; 3)], [first(range(5))], [until(. > 100; . * 2)?], ([1] | until(length > 3; . + [1]))`, `INDEX(.l[]; .k), (.l | INDEX(.v)), (.a | IN(1, 2)), IN(.b[]; 1, 2)`,
		`. as {a: $x, b: [$y, $z], $s, "f": $f, ("n" + ""): $n} | [$x, $y, $z, $s, $f, $n]`, `.[("a", "f")], .["a" + ""], ."s", ."\("s")", .b[.a], (.o | ."x"."y")`, `{"a\(.a)": 1, (.s): 2, a, "s", $__loc__}`,
		`try error("x") catch ., try error({a: 1}) catch .a, (try (.a | keys) catch "no"), .a[]?, (.a | .x?) // "else"`, `label $out | .b[] | if . == 2 then ., break $out else . end`, `reduce .l[] as {$k, $v} ({}; .[$k] += $v)`, `foreach .l[] as $e (0; . + $e.v; [$e.k, .])`,
		`def f(g): [g, g]; f(.a), (def h($x; y): $x + y; h(1; .a))`, `.b as [$a] ?// $a | [$a]`, `isempty(empty), ([1, 2] | any(. > 1), all(. > 1)), any(1, 2; . == 2)`, `"2026-11-01T10:00:00Z" | fromdate, (fromdate | todate), strptime("%Y-%m-%dT%H:%M:%SZ"), (fromdate | strftime("%A"), gmtime, (gmtime | mktime))`,
		`"12" | tonumber, ("1.50" | tonumber), (1 | tostring), ("true" | toboolean), ([1, "2"] | map(tonumber))`, `.big, (.big | tostring), (.big + 1), 9007199254740993, (9007199254740993 + 0)`, `splits("a")?, (1 | ltrimstr("x")), ("x" | abs?), (-1 | abs)`, `.l[] | select(.k | IN("a")) | .v`,
		`if .a then 1 end, (if .n then 1 elif .a == 1 then 2 else 3 end), (.n // .a), (.a and .n), (.a or .n), (.n | not)`, `[.. | numbers], [.. | strings], [recurse(.o?; . != null) | type]`, `input_line_number?`, `ltrimstr(1)`, `@json "x\(.l)y\(1 + 1)"`, `[.[] | tojson]`, `limit(2; .b[])`, `[.b[:2], .b[-1:], .s[:3]]`, `(.b | to_entries)?`,
	} {
		t.Run(program, func(t *testing.T) {
			want := byJQ(t, program, in)
			if got := run(t, program, in); got != want {
				if strings.HasPrefix(got, "! ") && strings.HasPrefix(want, "! ") {
					return // said with its place
				}
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// byJQ is what jq itself gives.
func byJQ(t testing.TB, program, input string) string {
	t.Helper()
	q, err := gojq.Parse(program)
	if err != nil {
		t.Fatal(err)
	}
	code, err := gojq.Compile(q)
	if err != nil {
		return "! " + err.Error()
	}
	in, err := plainJSON([]byte(input))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	iter := code.Run(in)
	for {
		v, ok := iter.Next()
		if !ok {
			return strings.Join(lines, "\n")
		}
		if err, ok := v.(error); ok {
			return "! " + err.Error()
		}
		b, err := gojq.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(b))
	}
}

// free are functions whose cost is their step, or the size of a text or a list that they look through once and give back a part of.
var free = strings.Fields(`abs acos acosh all any arrays asin asinh atan atan2 atanh booleans cbrt ceil copysign cos cosh drem empty endswith
	erf erfc exp exp10 exp2 expm1 fabs fdim finites first floor fma fmax fmin fmod frexp fromdate fromdateiso8601 gamma getpath gmtime has hypot
	in infinite isempty isfinite isinfinite isnan isnormal iterables j0 j1 last ldexp length lgamma limit log log10 log1p log2 logb ltrim ltrimstr map
	mktime modf nan nearbyint nextafter nexttoward normals not nth nulls numbers objects path paths pow range recurse remainder repeat rint round
	rtrim rtrimstr scalars scalb scalbln select significand sin sinh skip sqrt startswith strings tan tanh tgamma toboolean todate todateiso8601
	trim trimstr trunc type until utf8bytelength values while y0 y1 rindex`)

// TestEveryFunction: each function that jq has is guarded, written anew here, refused or known to be free. A new version of gojq that brings
// another one fails this test.
func TestEveryFunction(t *testing.T) {
	anew := map[string]bool{}
	for _, d := range ours() {
		anew[fmt.Sprintf("%s/%d", d.Name, len(d.Args))] = true
	}
	q, err := gojq.Parse("[builtins[]] | sort[]")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for iter := q.Run(nil); ; n++ {
		v, ok := iter.Next()
		if !ok {
			break
		}
		key, ok := v.(string)
		if !ok {
			t.Fatal(v)
		}
		name, _, _ := strings.Cut(key, "/")
		if guards[key] == nil && !anew[key] && refused[name] == "" && !slices.Contains(free, name) {
			t.Errorf("%s is not known", key)
		}
	}
	if n < 150 {
		t.Errorf("jq has %d functions", n)
	}
}

// TestNamesOfJQ: a program cannot get around the guard by a name.
func TestNamesOfJQ(t *testing.T) {
	for _, row := range []struct{ program, want string }{
		{`_match("a"; null; true)`, "names that begin so are jq's own"},
		{`$__meter`, "names that begin so are jq's own"},
		{`_guarded_add(1; 1; 1)`, "names that begin so are jq's own"},
		{`def _f: 1; _f`, "jq's own"},
		{`def tojson: 1; tojson`, "tojson/0 is jq's own, or ours: take another name"},
		{`def f(add): add; f(1)`, "add/0 is jq's own, or ours: take another name"},
		{`now`, "may not be used"}, {`env`, "may not be used"}, {`$ENV`, "may not be used"}, {`input`, "may not be used"}, {`debug`, "may not be used"},
		{`import "a" as a; 1`, "import and include"}, {`include "a"; 1`, "import and include"},
		{`"a" | "\(now)"`, "may not be used"},
	} {
		if got := run(t, row.program, `null`); !strings.Contains(got, row.want) {
			t.Errorf("%s: %s", row.program, got)
		}
	}
}

// FuzzProgram: whatever the program, it ends, and what comes out is JSON.
func FuzzProgram(f *testing.F) {
	for _, s := range []string{`.a + .b`, `"\(.)" | test("a")`, `[range(5)] | map(. * 2) | add`, `def f: f; f`, `.[.a] |= . + 1`, `reduce .[] as $x (0; . + $x)`, `{("a", "b"): 1}`} {
		f.Add(s, `{"a":1,"b":[1,2]}`)
	}
	f.Fuzz(func(t *testing.T, program, input string) {
		p, err := Compile(Text{File: "p.jq", Line: 1, Text: program}, nil)
		if err != nil {
			return
		}
		in, err := plainJSON([]byte(input))
		if err != nil {
			return
		}
		out, err := p.Run(t.Context(), in, variables)
		if err != nil {
			return
		}
		for _, v := range out {
			b, err := JSON(v)
			if err != nil || !json.Valid(b) {
				t.Errorf("%v: %q", err, b)
			}
		}
	})
}

func BenchmarkRun(b *testing.B) {
	const program = `.message | {id: "m/\(.chat.id)/\(.id)", type: "message", time: (.date | unix_seconds), identities: {telegram: (.from.id | text)},
		message: ({platform: "telegram", direction: "in"} + if .text | startswith("/start ") then {ref: .text[7:]} else {} end)}`
	in, err := plainJSON([]byte(`{"message":{"id":5,"from":{"id":6190034471},"chat":{"id":6190034471},"date":1793527200,"text":"/start a_1"}}`))
	if err != nil {
		b.Fatal(err)
	}
	p, err := Compile(Text{File: "p.jq", Line: 1, Text: program}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Run(b.Context(), in, variables); err != nil {
			b.Fatal(err)
		}
	}
}
