package mapping

import (
	"fmt"
	"strconv"

	"github.com/itchyny/gojq"
)

// Some expressions stand in nearly every mapping, and cost more in jq's steps than all the rest: they become one step.

// shortcut is what a call becomes; nil where it is none of these.
func shortcut(f *gojq.Func) *gojq.Term {
	switch {
	case f.Name == "with_entries" && len(f.Args) == 1:
		if mask := kept(f.Args[0]); mask > 0 {
			return guarded("keep", &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeNumber, Number: strconv.Itoa(mask)}})
		}
	case f.Name == "one_of" && len(f.Args) == 1:
		if list := alternatives(f.Args[0]); len(list) > 0 && len(list) <= maxArguments {
			return guarded("one_of", list...)
		}
	}
	return nil
}

// What with_entries(select(.value != null and …)) leaves out.
const (
	leaveNull = 1 << iota
	leaveText
	leaveList
	leaveObject
	leaveBlank // what text makes null
)

// kept is what select(.value != null and .value != "" …) leaves out, 0 if it is anything else.
func kept(q *gojq.Query) int {
	f := callOf(q)
	if f == nil || f.Name != "select" || len(f.Args) != 1 {
		return 0
	}
	return left(f.Args[0])
}

func left(q *gojq.Query) int {
	if q.Op == gojq.OpAnd && len(q.FuncDefs) == 0 {
		l, r := left(q.Left), left(q.Right)
		if l == 0 || r == 0 || (l|r)&leaveBlank != 0 {
			return 0
		}
		return l | r
	}
	if isBlankTest(q) {
		return leaveBlank
	}
	if q.Op != gojq.OpNe || len(q.FuncDefs) > 0 || !isField(q.Left, "value") || q.Right.Term == nil || len(q.Right.Term.SuffixList) > 0 {
		return 0
	}
	switch t := q.Right.Term; {
	case t.Type == gojq.TermTypeNull:
		return leaveNull
	case t.Type == gojq.TermTypeString && t.Str != nil && t.Str.Str == "" && len(t.Str.Queries) == 0:
		return leaveText
	case t.Type == gojq.TermTypeArray && t.Array != nil && t.Array.Query == nil:
		return leaveList
	case t.Type == gojq.TermTypeObject && t.Object != nil && len(t.Object.KeyVals) == 0:
		return leaveObject
	}
	return 0
}

// isBlankTest reports .value | text != null.
func isBlankTest(q *gojq.Query) bool {
	if q.Op != gojq.OpPipe || len(q.Patterns)+len(q.FuncDefs) > 0 || !isField(q.Left, "value") {
		return false
	}
	r := q.Right
	if r.Op != gojq.OpNe || len(r.FuncDefs) > 0 || r.Right.Term == nil || r.Right.Term.Type != gojq.TermTypeNull || len(r.Right.Term.SuffixList) > 0 {
		return false
	}
	f := callOf(r.Left)
	return f != nil && f.Name == "text" && len(f.Args) == 0
}

func callOf(q *gojq.Query) *gojq.Func {
	if q.Term == nil || q.Term.Func == nil || len(q.Term.SuffixList) > 0 || len(q.FuncDefs) > 0 {
		return nil
	}
	return q.Term.Func
}

// isField reports .name; any field if name is empty.
func isField(q *gojq.Query, name string) bool {
	t := q.Term
	return t != nil && len(q.FuncDefs) == 0 && t.Type == gojq.TermTypeIndex && len(t.SuffixList) == 0 && t.Index != nil && t.Index.Name != "" &&
		(name == "" || t.Index.Name == name)
}

// alternatives are a, b and c of one_of(a, b, c), where each is a field or a variable: nothing can go wrong with one that is not asked
// for, and each has one value.
func alternatives(q *gojq.Query) []*gojq.Query {
	if q.Op == gojq.OpComma && len(q.FuncDefs) == 0 {
		l, r := alternatives(q.Left), alternatives(q.Right)
		if l == nil || r == nil {
			return nil
		}
		return append(l, r...)
	}
	if f := callOf(q); f != nil && f.Name[0] == '$' || isField(q, "") {
		return []*gojq.Query{q}
	}
	return nil
}

// keep is an object without the fields that a mask names.
func keep(m *meter, in any, args []any) any {
	object, ok := in.(map[string]any)
	if !ok {
		return fmt.Errorf("with_entries cannot be applied to: %s (%s)", gojq.TypeOf(in), gojq.Preview(in))
	}
	if err := m.charge(shallow(in)); err != nil {
		return err
	}
	mask, _ := args[0].(int)
	out := make(map[string]any, len(object))
	for name, v := range object {
		if mask == leaveBlank {
			said, err := text(v)
			if err != nil {
				return fmt.Errorf("text: %w", err)
			}
			if said != nil {
				out[name] = v
			}
			continue
		}
		leave := 0
		switch v := v.(type) {
		case nil:
			leave = leaveNull
		case string:
			if v == "" {
				leave = leaveText
			}
		case []any:
			if len(v) == 0 {
				leave = leaveList
			}
		case map[string]any:
			if len(v) == 0 {
				leave = leaveObject
			}
		}
		if leave&mask == 0 {
			out[name] = v
		}
	}
	return out
}

// oneOf is the first value that says anything.
func oneOf(_ *meter, _ any, args []any) any {
	for _, a := range args {
		if says(a) {
			return a
		}
	}
	return nil
}

// isCheap says that an operator costs no more than its step, whatever the other side is: a comparison with a literal, and a number that is
// added or taken away.
func isCheap(q *gojq.Query) bool {
	literal := func(q *gojq.Query, numberAlone bool) bool {
		t := q.Term
		if t == nil || len(t.SuffixList) > 0 || len(q.FuncDefs) > 0 {
			return false
		}
		switch t.Type {
		case gojq.TermTypeNumber:
			return true
		case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse:
			return !numberAlone
		case gojq.TermTypeString:
			return !numberAlone && t.Str != nil && len(t.Str.Queries) == 0
		default:
			return false
		}
	}
	switch q.Op {
	case gojq.OpEq, gojq.OpNe, gojq.OpLt, gojq.OpLe, gojq.OpGt, gojq.OpGe:
		return literal(q.Left, false) || literal(q.Right, false)
	case gojq.OpAdd, gojq.OpSub:
		return literal(q.Left, true) || literal(q.Right, true)
	default:
		return false
	}
}
