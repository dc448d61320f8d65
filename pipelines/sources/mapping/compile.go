package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

// Text is a program's text and where it stands.
type Text struct {
	// File and Line are where the first line of it is.
	File string
	Line int
	Text string
}

// Error is a fault of a program: where it is, as far as jq knows.
type Error struct {
	File string
	Line int
	// Expression is the part of the program that failed.
	Expression string
	Err        error
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Expression != "" {
		return fmt.Sprintf("%s: %v, in %s", where, e.Err, e.Expression)
	}
	return fmt.Sprintf("%s: %v", where, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// refused are functions that would make a mapping depend on more than what it is given.
var refused = map[string]string{
	"now":               "a replay would give another answer: take $received",
	"localtime":         "it depends on the machine: take local_time",
	"strflocaltime":     "it depends on the machine: take local_time",
	"input":             "there is one input",
	"inputs":            "there is one input",
	"debug":             "take `throughline sources try`",
	"stderr":            "take `throughline sources try`",
	"halt":              "take empty",
	"halt_error":        "take error",
	"env":               "take $settings",
	"$ENV":              "take $settings",
	"input_line_number": "take $place",
	"builtins":          "it has no use",
	"modulemeta":        "it has no use",
	"jn":                "it may take any time",
	"yn":                "it may take any time",
	"fromstream":        "take getpath and reduce",
	"tostream":          "take paths",
	"truncate_stream":   "take paths",
	"JOIN":              "take INDEX",
}

// Compile makes a program of its text. Definitions are those of a file that the source's programs share.
func Compile(text Text, definitions *Text) (*Program, error) {
	p := &Program{text: text, defs: ours()}
	if definitions != nil {
		q, err := parse(*definitions)
		if err != nil {
			return nil, err
		}
		if err := guard(q, false); err != nil {
			return nil, definitions.fault(err)
		}
		p.shared = q.FuncDefs
		p.defs = append(append([]*gojq.FuncDef{}, p.defs...), q.FuncDefs...)
	}
	q, err := parse(text)
	if err != nil {
		return nil, err
	}
	p.query = q
	if p.code, err = p.compile(q); err != nil {
		return nil, text.fault(err)
	}
	return p, nil
}

// Uses reports that a variable stands in the program or its definitions.
func (p *Program) Uses(variable string) bool {
	found := false
	see := func(f *gojq.Func) { found = found || f.Name == variable }
	visit(reflect.ValueOf(p.query), see)
	for _, d := range p.shared {
		visit(reflect.ValueOf(d), see)
	}
	return found
}

// compile compiles a copy of a query, guarded, behind the definitions.
func (p *Program) compile(q *gojq.Query) (*gojq.Code, error) {
	with, err := gojq.Parse(q.String())
	if err != nil {
		return nil, err
	}
	if err := guard(with, false); err != nil {
		return nil, err
	}
	with.FuncDefs = append(append([]*gojq.FuncDef{}, p.defs...), with.FuncDefs...)
	options := append(append([]gojq.CompilerOption{}, library()...), guardOptions()...)
	return gojq.Compile(with, append(options, gojq.WithVariables(names))...)
}

func parse(text Text) (*gojq.Query, error) {
	q, err := gojq.Parse(text.Text)
	if err != nil {
		return nil, text.fault(err)
	}
	if len(q.Imports) > 0 {
		return nil, text.fault(errors.New("import and include: put what programs share into `definitions`"))
	}
	var all []error
	visit(reflect.ValueOf(q), func(f *gojq.Func) {
		why := refused[f.Name]
		if strings.HasPrefix(f.Name, "_") || strings.HasPrefix(f.Name, "$__") && f.Name != "$__loc__" {
			why = "names that begin so are jq's own"
		}
		if why != "" {
			all = append(all, text.at(f.Name, fmt.Errorf("%s may not be used: %s", f.Name, why)))
		}
	})
	return q, errors.Join(all...)
}

// visit finds every function that is called.
func visit(v reflect.Value, see func(*gojq.Func)) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if f, ok := v.Interface().(*gojq.Func); ok {
			see(f)
		}
		visit(v.Elem(), see)
	case reflect.Struct:
		for i := range v.NumField() {
			visit(v.Field(i), see)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), see)
		}
	default:
	}
}

var undefined = regexp.MustCompile(`^(?:function|variable) not defined: ([$A-Za-z_0-9]+)`)

// fault places what jq says of a text.
func (t Text) fault(err error) error {
	var wrong *gojq.ParseError
	if errors.As(err, &wrong) {
		read := t.Text[:min(max(wrong.Offset-1, 0), len(t.Text))]
		line := strings.Count(read, "\n")
		return &Error{File: t.File, Line: t.Line + line, Expression: "`" + strings.TrimSpace(lineOf(t.Text, line)) + "`", Err: err}
	}
	if m := undefined.FindStringSubmatch(err.Error()); m != nil {
		return t.at(m[1], err)
	}
	return &Error{File: t.File, Line: t.Line, Err: err}
}

// at places a fault at the first line where a name stands.
func (t Text) at(name string, err error) error {
	word := regexp.MustCompile(`(^|[^$A-Za-z0-9_.])` + regexp.QuoteMeta(name) + `($|[^A-Za-z0-9_])`)
	for i, line := range strings.Split(t.Text, "\n") {
		code, _, _ := strings.Cut(line, "#")
		if word.MatchString(code) {
			return &Error{File: t.File, Line: t.Line + i, Expression: "`" + strings.TrimSpace(line) + "`", Err: err}
		}
	}
	return &Error{File: t.File, Line: t.Line, Err: err}
}

func lineOf(text string, n int) string {
	lines := strings.Split(text, "\n")
	return lines[min(n, len(lines)-1)]
}

// ours are the functions of builtin.jq and library.jq, guarded.
var ours = sync.OnceValue(func() []*gojq.FuncDef {
	q, err := gojq.Parse(builtinJQ + libraryJQ)
	if err == nil {
		err = guard(q, true)
	}
	if err != nil {
		panic(fmt.Sprintf("builtin.jq and library.jq: %v", err)) // a fault of the program, found by its first test
	}
	return q.FuncDefs
})
