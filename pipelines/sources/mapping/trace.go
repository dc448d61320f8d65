package mapping

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

// tracer finds the expression in which a program failed. jq itself does not tell; so parts of the program are run once more, each where
// it stands, and the smallest that fails with the same words is it.
type tracer struct {
	mu sync.Mutex
	// known are faults that were placed, by what they say without what they quote.
	known map[string]*Error
}

// maxTraced bounds what placing faults may cost one program: other faults are told without an expression.
const maxTraced = 64

// place says where an error comes from.
func (p *Program) place(ctx context.Context, err error, input any, v *Variables) error {
	located := &Error{File: p.text.File, Line: p.text.Line, Err: err}
	if errors.Is(err, ErrLimit) || ctx.Err() != nil { // another run would take as long
		return located
	}
	key := Mask(err.Error())
	p.trace.mu.Lock()
	known, ok := p.trace.known[key]
	full := len(p.trace.known) >= maxTraced
	p.trace.mu.Unlock()
	if !ok {
		if full {
			return located
		}
		known = p.find(ctx, err, input, v)
		p.trace.mu.Lock()
		if p.trace.known == nil {
			p.trace.known = map[string]*Error{}
		}
		p.trace.known[key] = known
		p.trace.mu.Unlock()
	}
	located.Line, located.Expression = known.Line, known.Expression
	return located
}

// find is where a fault is, without the fault.
func (p *Program) find(ctx context.Context, err error, input any, v *Variables) *Error {
	s := &search{p: p, fails: func(q *gojq.Query) bool {
		q.FuncDefs = append(append([]*gojq.FuncDef{}, p.query.FuncDefs...), q.FuncDefs...)
		code, failed := p.compile(q)
		if failed != nil {
			return false
		}
		_, again := p.run(ctx, code, input, v)
		return again != nil && again.Error() == err.Error()
	}}
	body := *p.query
	body.FuncDefs = nil
	at := s.in(&body, func(q *gojq.Query) *gojq.Query { return q }, 0)
	said := at.String()
	if s.around != nil && at.Term != nil && at.Term.Func != nil { // a function says more with what it is given
		if pipe := s.around.String(); len(pipe) <= maxShown {
			said = pipe
		}
	}
	return &Error{Line: p.text.Line + p.lineOf(at.String()), Expression: "`" + short(said) + "`"}
}

type search struct {
	p     *Program
	fails func(*gojq.Query) bool
	// around is the pipe of which what was found is the end.
	around *gojq.Query
}

// place puts a part where it stands in the program.
type place func(part *gojq.Query) *gojq.Query

// maxTrace is how deep parts are looked into.
const maxTrace = 20

// in is the smallest part of a query that fails.
func (s *search) in(q *gojq.Query, here place, depth int) *gojq.Query {
	if depth == maxTrace {
		return q
	}
	try := func(part *gojq.Query, there place) *gojq.Query {
		if part == nil || !s.fails(there(part)) {
			return nil
		}
		return s.in(part, there, depth+1)
	}
	for _, c := range parts(q, here) {
		s.around = nil
		if found := try(c.part, c.there); found != nil {
			if found == q.Right && q.Op == gojq.OpPipe {
				s.around = q
			}
			return found
		}
	}
	return q
}

type part struct {
	part  *gojq.Query
	there place
}

// parts are the expressions inside one, each with how it stands alone.
func parts(q *gojq.Query, here place) (out []part) {
	add := func(p *gojq.Query, there place) { out = append(out, part{p, there}) }
	if q.Left != nil {
		add(q.Left, here)
		if q.Op == gojq.OpPipe {
			add(q.Right, func(p *gojq.Query) *gojq.Query {
				return here(&gojq.Query{Left: q.Left, Op: gojq.OpPipe, Patterns: q.Patterns, Right: p})
			})
		} else {
			add(q.Right, here)
		}
		return out
	}
	t := q.Term
	switch {
	case t == nil:
	case t.Query != nil && len(t.SuffixList) == 0:
		add(t.Query, here)
	case t.Object != nil:
		for _, kv := range t.Object.KeyVals {
			if kv.Val != nil {
				add(kv.Val, here)
			}
		}
	case t.Array != nil && t.Array.Query != nil:
		add(t.Array.Query, here)
	case t.If != nil:
		add(t.If.Cond, here)
		rest := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: "empty"}}}
		branch := func(cond, then *gojq.Query, before place) {
			add(then, func(p *gojq.Query) *gojq.Query {
				return before(&gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIf, If: &gojq.If{Cond: cond, Then: p, Else: rest}}})
			})
		}
		branch(t.If.Cond, t.If.Then, here)
		not := func(cond *gojq.Query, before place) place {
			return func(p *gojq.Query) *gojq.Query {
				return before(&gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIf, If: &gojq.If{Cond: cond, Then: rest, Else: p}}})
			}
		}
		before := not(t.If.Cond, here)
		for _, e := range t.If.Elif {
			add(e.Cond, before)
			branch(e.Cond, e.Then, before)
			before = not(e.Cond, before)
		}
		if t.If.Else != nil {
			add(t.If.Else, before)
		}
	case t.Str != nil:
		for _, e := range t.Str.Queries {
			add(e, here)
		}
	}
	return out
}

// lineOf is the line, from 0, where an expression stands: the first that has it, but for blanks, or at least its beginning.
func (p *Program) lineOf(expression string) int {
	bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
	lines := strings.Split(p.text.Text, "\n")
	if name := regexp.MustCompile(`^[a-z_][a-zA-Z0-9_]*$`); name.MatchString(expression) {
		called := regexp.MustCompile(`(^|[^A-Za-z0-9_.$])` + expression + `($|[^A-Za-z0-9_])`)
		for i, line := range lines {
			code, _, _ := strings.Cut(line, "#")
			if called.MatchString(strings.ReplaceAll(code, "def "+expression, "")) {
				return i
			}
		}
	}
	for _, most := range []int{len(expression), 40, 20, 8} {
		want := bare(expression)
		want = want[:min(most, len(want))]
		if want == "" {
			return 0
		}
		for i, line := range lines {
			if strings.Contains(bare(line), want) {
				return i
			}
		}
	}
	return 0
}

// short is an expression that fits into a line.
func short(s string) string {
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return s
}

// maxShown is how much of an expression is shown.
const maxShown = 120
