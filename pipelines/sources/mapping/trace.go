package mapping

import (
	"context"
	"strings"

	"github.com/itchyny/gojq"
)

// place finds the expression in which a program failed. jq itself does not tell; so the program is run once more, up to each of
// the stages of its outermost pipe, and the first stage that fails with the same words is it.
func (p *Program) place(ctx context.Context, err error, input any, v *Variables) error {
	located := &Error{File: p.text.File, Line: p.text.Line, Err: err}
	stages := pipe(p.query)
	for i := range stages {
		code, failed := p.compile(joined(stages[:i+1], p.query.FuncDefs))
		if failed != nil {
			continue // a name that a later stage needs; it is placed no better than before
		}
		if _, again := p.run(ctx, code, input, v); again != nil && again.Error() == err.Error() {
			located.Expression = "`" + short(stages[i].String()) + "`"
			located.Line += p.lineOf(stages[i].String())
			break
		}
	}
	return located
}

// pipe is the stages of a | b | c.
func pipe(q *gojq.Query) []*gojq.Query {
	if q.Op == gojq.OpPipe && q.Left != nil && len(q.Patterns) == 0 {
		return append(pipe(q.Left), pipe(q.Right)...)
	}
	one := *q
	one.FuncDefs = nil
	return []*gojq.Query{&one}
}

func joined(stages []*gojq.Query, defs []*gojq.FuncDef) *gojq.Query {
	q := stages[len(stages)-1]
	for i := len(stages) - 2; i >= 0; i-- {
		q = &gojq.Query{Left: stages[i], Op: gojq.OpPipe, Right: q}
	}
	with := *q
	with.FuncDefs = defs
	return &with
}

// lineOf is the line, from 0, where an expression begins: the first that has its first word.
func (p *Program) lineOf(expression string) int {
	first := strings.TrimLeft(expression, "({[")
	for i, c := range first {
		if strings.ContainsRune(" ,;:|)]}(", c) {
			first = first[:i]
			break
		}
	}
	if first == "" {
		return 0
	}
	for i, line := range strings.Split(p.text.Text, "\n") {
		code, _, _ := strings.Cut(line, "#")
		if strings.Contains(code, first) {
			return i
		}
	}
	return 0
}

// short is an expression that fits into a line.
func short(s string) string {
	const most = 120
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
