package mapping

import (
	"errors"
	"fmt"
	"strings"

	"github.com/itchyny/gojq"
)

// jq has no limit of memory, and what one of its functions does in one step may be anything: repeat a text a billion times, compare two
// lists that hold themselves a million times over, fill a list up to an index. So a program is rewritten before it is compiled: every
// operator and every function whose cost is more than its step becomes one of ours, which charges the run's meter first. What is left
// costs so little that the limit of steps bounds it.

// meterVariable carries the run's meter to our functions.
const meterVariable = "$__meter"

// guardPrefix begins the names of our functions that stand for jq's.
const guardPrefix = "_guarded_"

// maxArguments is how many a function of ours may have; a longer text is put together in parts.
const maxArguments = 20

// guarder rewrites one program.
type guarder struct {
	faults []error
	// ours: it may define anew what jq has.
	ours bool
}

// guard rewrites a query in place.
func guard(q *gojq.Query, ours bool) error {
	g := &guarder{ours: ours}
	g.query(q)
	return errors.Join(g.faults...)
}

// operators that are functions in disguise.
var operators = map[gojq.Operator]string{
	gojq.OpAdd: "_add", gojq.OpSub: "_subtract", gojq.OpMul: "_multiply", gojq.OpDiv: "_divide", gojq.OpMod: "_modulo", gojq.OpEq: "_equal",
	gojq.OpNe: "_notequal", gojq.OpGt: "_greater", gojq.OpLt: "_less", gojq.OpGe: "_greatereq", gojq.OpLe: "_lesseq",
}

func (g *guarder) query(q *gojq.Query) {
	if q == nil {
		return
	}
	for _, d := range q.FuncDefs {
		g.definition(d)
	}
	g.term(q.Term)
	g.query(q.Left)
	g.query(q.Right)
	for _, p := range q.Patterns {
		g.pattern(p)
	}
	g.update(q)
	if name := operators[q.Op]; name != "" && !isCheap(q) {
		*q = gojq.Query{Meta: q.Meta, Imports: q.Imports, FuncDefs: q.FuncDefs, Term: guarded(name, q.Left, q.Right)}
	}
}

// updates are operators that change a value at paths, and what they do there.
var updates = map[gojq.Operator]gojq.Operator{
	gojq.OpUpdateAdd: gojq.OpAdd, gojq.OpUpdateSub: gojq.OpSub, gojq.OpUpdateMul: gojq.OpMul, gojq.OpUpdateDiv: gojq.OpDiv, gojq.OpUpdateMod: gojq.OpMod,
	gojq.OpUpdateAlt: gojq.OpAlt,
}

// updateVariable holds the right side of an update.
const updateVariable = "$__update"

// update rewrites an assignment. jq's own fills a list up to any index without being asked; so it is left alone only where the paths are
// written out, which is nearly always.
func (g *guarder) update(q *gojq.Query) {
	call := func(name string, arguments ...*gojq.Query) *gojq.Term {
		return &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: name, Args: arguments}}
	}
	written := q.Left != nil && isWritten(q.Left)
	modify := "_modify"
	if !written {
		modify = "_safe_modify"
	}
	op, isUpdate := updates[q.Op]
	switch {
	case isUpdate: // a += b is b as $u | a |= . + $u
		u := &gojq.Query{Term: call(updateVariable)}
		identity := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeIdentity}}
		change := &gojq.Query{Left: identity, Op: op, Right: u}
		if name := operators[op]; name != "" {
			change = &gojq.Query{Term: guarded(name, identity, u)}
		}
		right := &gojq.Query{Left: q.Left, Op: gojq.OpModify, Right: change}
		if !written {
			right = &gojq.Query{Term: call(modify, q.Left, change)}
		}
		*q = gojq.Query{Meta: q.Meta, FuncDefs: q.FuncDefs, Left: q.Right, Op: gojq.OpPipe, Patterns: []*gojq.Pattern{{Name: updateVariable}}, Right: right}
	case q.Op == gojq.OpModify && !written:
		*q = gojq.Query{Meta: q.Meta, FuncDefs: q.FuncDefs, Term: call(modify, q.Left, q.Right)}
	case q.Op == gojq.OpAssign && !written:
		*q = gojq.Query{Meta: q.Meta, FuncDefs: q.FuncDefs, Term: call("_safe_assign", q.Left, q.Right)}
	}
}

// isWritten says that a path is made of names, small numbers and [] alone.
func isWritten(q *gojq.Query) bool {
	t := q.Term
	if t == nil || len(q.FuncDefs) > 0 {
		return false
	}
	plain := func(x *gojq.Index) bool {
		return !x.IsSlice && (x.Name != "" || x.Str != nil && len(x.Str.Queries) == 0 || x.Start != nil && isConstant(x.Start))
	}
	switch {
	case t.Type == gojq.TermTypeIdentity, t.Type == gojq.TermTypeIndex && plain(t.Index):
	default:
		return false
	}
	for _, s := range t.SuffixList {
		if !s.Iter && (s.Index == nil || !plain(s.Index)) || s.Optional {
			return false
		}
	}
	return true
}

func (g *guarder) definition(d *gojq.FuncDef) {
	g.name(d.Name, len(d.Args))
	for _, a := range d.Args {
		if !strings.HasPrefix(a, "$") {
			g.name(a, 0)
		}
	}
	g.query(d.Body)
}

// name refuses a definition that would take the name of one of jq's functions that are rewritten.
func (g *guarder) name(name string, arguments int) {
	key := fmt.Sprintf("%s/%d", name, arguments)
	if _, ok := guards[key]; !g.ours && (ok || strings.HasPrefix(name, "_") || key == "with_entries/1" || key == "one_of/1") {
		g.faults = append(g.faults, fmt.Errorf("%s is jq's own, or ours: take another name", key))
	}
}

// guarded is a call of the function that stands for one of jq's.
func guarded(name string, arguments ...*gojq.Query) *gojq.Term {
	meter := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: meterVariable}}}
	return &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: guardPrefix + strings.TrimPrefix(name, "_"), Args: append([]*gojq.Query{meter}, arguments...)}}
}

func constant(s string) *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeString, Str: &gojq.String{Str: s}}}
}

func (g *guarder) term(t *gojq.Term) {
	if t == nil {
		return
	}
	g.index(t.Index)
	if t.Func != nil && shortcut(t.Func) == nil {
		for _, a := range t.Func.Args {
			g.query(a)
		}
	}
	if t.Object != nil {
		for _, kv := range t.Object.KeyVals {
			g.field(kv)
		}
	}
	if t.Array != nil {
		g.query(t.Array.Query)
	}
	if t.Unary != nil {
		g.term(t.Unary.Term)
	}
	if t.If != nil {
		g.query(t.If.Cond)
		g.query(t.If.Then)
		for _, e := range t.If.Elif {
			g.query(e.Cond)
			g.query(e.Then)
		}
		g.query(t.If.Else)
	}
	if t.Try != nil {
		g.query(t.Try.Body)
		g.query(t.Try.Catch)
	}
	if t.Reduce != nil {
		g.loop(t.Reduce.Patterns, t.Reduce.Query, t.Reduce.Start, t.Reduce.Update)
	}
	if t.Foreach != nil {
		g.loop(t.Foreach.Patterns, t.Foreach.Query, t.Foreach.Start, t.Foreach.Update, t.Foreach.Extract)
	}
	if t.Label != nil {
		g.query(t.Label.Body)
	}
	g.query(t.Query)
	for _, s := range t.SuffixList {
		g.index(s.Index)
	}
	g.replace(t)
}

// replace makes of a term that costs more than its step one of ours. Suffixes stay.
func (g *guarder) replace(t *gojq.Term) {
	var ours *gojq.Term
	switch {
	case t.Func != nil && shortcut(t.Func) != nil:
		ours = shortcut(t.Func)
	case t.Func != nil:
		if _, ok := guards[fmt.Sprintf("%s/%d", t.Func.Name, len(t.Func.Args))]; ok {
			ours = guarded(t.Func.Name, t.Func.Args...)
		}
	case t.Type == gojq.TermTypeFormat && t.Str == nil:
		ours = guarded("format", constant(t.Format[1:]))
	case t.Str != nil && len(t.Str.Queries) > 0:
		ours = g.text(t.Str, t.Format)
	}
	if ours != nil {
		suffixes := t.SuffixList
		*t = *ours
		t.SuffixList = suffixes
	}
}

// text is a string with interpolations: its parts are put together by one of ours. The order in which parts with several values are
// combined is jq's.
func (g *guarder) text(s *gojq.String, format string) *gojq.Term {
	parts := make([]*gojq.Query, len(s.Queries))
	for i, q := range s.Queries {
		if q.Term != nil && q.Term.Str != nil && len(q.Term.Str.Queries) == 0 && q.Term.Type == gojq.TermTypeString && len(q.Term.SuffixList) == 0 {
			parts[i] = q
			continue
		}
		g.query(q)
		parts[i] = q // concat makes a text of it
		if format != "" && format != "@text" {
			parts[i] = &gojq.Query{Left: q, Op: gojq.OpPipe, Right: &gojq.Query{Term: guarded("format", constant(format[1:]))}}
		}
	}
	for len(parts) > maxArguments {
		first := &gojq.Query{Term: guarded("concat", parts[:maxArguments]...)}
		parts = append([]*gojq.Query{first}, parts[maxArguments:]...)
	}
	return guarded("concat", parts...)
}

func (g *guarder) loop(patterns []*gojq.Pattern, queries ...*gojq.Query) {
	for _, p := range patterns {
		g.pattern(p)
	}
	for _, q := range queries {
		g.query(q)
	}
}

// field is one of an object's.
func (g *guarder) field(kv *gojq.ObjectKeyVal) {
	g.query(kv.KeyQuery)
	g.query(kv.Val)
	if kv.KeyString != nil && len(kv.KeyString.Queries) > 0 {
		if kv.Val == nil {
			g.faults = append(g.faults, fmt.Errorf("the field {%s} needs a value", kv.KeyString))
		}
		kv.KeyQuery, kv.KeyString = &gojq.Query{Term: g.text(kv.KeyString, "")}, nil
	}
}

func (g *guarder) pattern(p *gojq.Pattern) {
	if p == nil {
		return
	}
	for _, e := range p.Array {
		g.pattern(e)
	}
	for _, o := range p.Object {
		if o.KeyString != nil && len(o.KeyString.Queries) > 0 {
			o.KeyQuery, o.KeyString = &gojq.Query{Term: g.text(o.KeyString, "")}, nil
		} else if o.KeyQuery != nil {
			g.query(o.KeyQuery)
			o.KeyQuery = keyed(o.KeyQuery)
		}
		g.pattern(o.Val)
	}
}

// index is .a, .[q] or .[q:q]. A key that is a list would be looked for in the value, which costs any time: indices does that.
func (g *guarder) index(x *gojq.Index) {
	if x == nil {
		return
	}
	g.query(x.Start)
	g.query(x.End)
	switch {
	case x.Str != nil && len(x.Str.Queries) > 0:
		x.Start, x.Str = keyed(&gojq.Query{Term: g.text(x.Str, "")}), nil
	case x.Start != nil && !x.IsSlice && !isConstant(x.Start):
		x.Start = keyed(x.Start)
	case x.Start != nil && !x.IsSlice && x.Start.Term.Number != "" && len(x.Start.Term.Number) > maxIndexDigits:
		g.faults = append(g.faults, fmt.Errorf("the index %s is too large", x.Start.Term.Number))
	}
}

// maxIndexDigits bounds what is written into a program: a list is filled up to its index.
const maxIndexDigits = 5

func keyed(q *gojq.Query) *gojq.Query {
	return &gojq.Query{Left: q, Op: gojq.OpPipe, Right: &gojq.Query{Term: guarded("key")}}
}

// isConstant says that an index is a number or a text as it is written.
func isConstant(q *gojq.Query) bool {
	t := q.Term
	return t != nil && len(t.SuffixList) == 0 && len(q.FuncDefs) == 0 && (t.Number != "" || t.Str != nil && len(t.Str.Queries) == 0 && t.Format == "")
}
