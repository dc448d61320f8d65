package mapping

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/itchyny/gojq"
)

// builtinJQ are those of jq's functions that are written in jq and use guarded ones: written once more, so that they are rewritten too.
//
//go:embed builtin.jq
var builtinJQ string

// cost is what a call is charged, in bytes that it may take or that must be looked at; the arguments come behind the input.
type cost func(m *meter, v []any) error

// guards are jq's functions that cost more than their step, name/arity → what they cost. TestEveryFunction holds the list to what jq has.
var guards = map[string]cost{
	"_add/2": sums(1), "_subtract/2": product, "_multiply/2": multiplied, "_divide/2": sums(16), "_modulo/2": sums(1),
	"_equal/2": compared, "_notequal/2": compared, "_greater/2": compared, "_less/2": compared, "_greatereq/2": compared, "_lesseq/2": compared,
	"add/0": elements(1), "join/1": joining, "split/1": sums(16), "explode/0": sums(16), "implode/0": sums(4),
	"tojson/0": deep(2), "tostring/0": deep(2), "fromjson/0": sums(1), "format/1": deep(8), "tonumber/0": shortText,
	"keys/0": sums(2), "to_entries/0": sums(4), "from_entries/0": elements(1), "reverse/0": sums(1), "ascii_downcase/0": sums(1), "ascii_upcase/0": sums(1),
	"contains/1": product, "inside/1": product, "indices/1": product, "index/1": product, "rindex/1": product,
	"flatten/0": deep(4), "flatten/1": deep(4),
	"min/0": deep(2), "max/0": deep(2), "sort/0": deep(8), "unique/0": deep(8), "bsearch/1": deep(2),
	"_min_by/1": deep(2), "_max_by/1": deep(2), "_sort_by/1": deep(8), "_group_by/1": deep(8), "_unique_by/1": deep(8),
	"setpath/2": filled, "delpaths/1": deep(1), "transpose/0": transposed,
	"_match/3": matched, "_captures/0": deep(2), "error/0": deep(1), "error/1": deep(1),
	"strftime/1": sums(8), "strptime/1": sums(8),
}

// Sizes of values that are not counted to their depths: what they take themselves.
const (
	slotBytes  = 16
	fieldBytes = 48
	// matchBytes is what one match takes, regexpBytes what a byte of an expression may become.
	matchBytes  = 600
	regexpBytes = 1_000
	// maxNumber is the longest number that is read from a text, and the largest that arithmetic may make, in digits and in bits.
	maxNumber     = 400
	maxNumberBits = 4_096
)

func shallow(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case json.Number:
		return len(v)
	case []any:
		return slotBytes * len(v)
	case map[string]any:
		return fieldBytes * len(v)
	case *big.Int:
		return v.BitLen() / 8
	}
	return 8
}

func sums(factor int) cost {
	return func(m *meter, vs []any) error {
		n := 0
		for _, v := range vs {
			if b, ok := v.(*big.Int); ok && b.BitLen() > maxNumberBits {
				return m.stop("a number is too long")
			}
			n += shallow(v)
		}
		return m.charge(factor * n)
	}
}

func deep(factor int) cost {
	return func(m *meter, vs []any) error {
		for _, v := range vs {
			if err := m.chargeDeep(v, factor); err != nil {
				return err
			}
		}
		return nil
	}
}

// compared are two values; two texts or numbers cost their step.
func compared(m *meter, vs []any) error {
	for _, v := range vs {
		switch v.(type) {
		case []any, map[string]any:
			return deep(1)(m, vs)
		}
	}
	return nil
}

// product is for what looks for each part of one value in each of the other.
func product(m *meter, vs []any) error {
	n := 1
	for _, v := range vs {
		switch v.(type) {
		case []any, map[string]any:
			size, err := sizeWithin(v, m.left())
			if err != nil {
				return m.stop(err.Error())
			}
			n = min(n*(1+size/slotBytes), maxMemory+1)
		default:
			if err := m.charge(shallow(v)); err != nil {
				return err
			}
		}
	}
	return m.charge(n)
}

func multiplied(m *meter, vs []any) error {
	for i, v := range vs {
		other := vs[1-i]
		switch v := v.(type) {
		case string:
			if n, ok := gojq.ToFloat64(other); ok && n > 0 {
				if n > maxMemory {
					return m.stop("a text is repeated too often")
				}
				return m.charge(int(n+1) * (len(v) + 1))
			}
		case map[string]any:
			return deep(1)(m, vs)
		}
	}
	return sums(1)(m, vs)
}

// elements of a list, which are put together.
func elements(factor int) cost {
	return func(m *meter, vs []any) error {
		n := 0
		switch list := vs[0].(type) {
		case []any:
			for _, e := range list {
				n = min(n+shallow(e), maxMemory+1)
			}
		case map[string]any:
			for _, e := range list {
				n = min(n+shallow(e), maxMemory+1)
			}
		}
		return m.charge(factor * n)
	}
}

func joining(m *meter, vs []any) error {
	if err := elements(1)(m, vs); err != nil {
		return err
	}
	list, ok := vs[0].([]any)
	if !ok {
		return nil
	}
	return m.charge(len(list) * (1 + shallow(vs[1])))
}

func shortText(m *meter, vs []any) error {
	if s, ok := vs[0].(string); ok && len(s) > maxNumber {
		return fmt.Errorf("a text of %d characters is no number", len(s))
	}
	return nil
}

// filled is a value that is put at a path: the lists and objects on the way are copied, a list is filled up to its index.
func filled(m *meter, vs []any) error {
	n := 64
	at := vs[0]
	path, ok := vs[1].([]any)
	if !ok {
		return nil
	}
	for _, step := range path {
		n += shallow(at) / slotBytes
		switch step := step.(type) {
		case string:
			object, _ := at.(map[string]any)
			at = object[step]
		case map[string]any: // a slice
			at = nil
			n += shallow(vs[2])
		default:
			i, isNumber := gojq.ToInt(step)
			list, _ := at.([]any)
			at = nil
			if !isNumber {
				continue
			}
			if i >= len(list) {
				if i > maxMemory/slotBytes {
					return m.stop("a list is filled too far")
				}
				n += slotBytes * (i + 1)
			} else if i >= 0 {
				at = list[i]
			}
		}
	}
	return m.charge(n)
}

func transposed(m *meter, vs []any) error {
	rows, ok := vs[0].([]any)
	longest := 0
	for _, r := range rows {
		if r, isList := r.([]any); isList {
			longest = max(longest, len(r))
		}
	}
	if !ok || longest == 0 {
		return nil
	}
	if len(rows) > maxMemory/slotBytes/longest {
		return m.stop("a table is too large")
	}
	return m.charge(slotBytes * len(rows) * longest)
}

func matched(m *meter, vs []any) error {
	text, _ := vs[0].(string)
	expression, _ := vs[1].(string)
	flags, _ := vs[2].(string)
	n := len(text) + regexpBytes*len(expression)/8
	if strings.Contains(flags, "g") {
		n += matchBytes * (len(text) + 1) / 4
	}
	return m.charge(n)
}

// ownOnes are guarded functions that are no jq's.
var ownOnes = map[string]func(m *meter, in any, args []any) any{
	"concat": concat,
	"key": func(_ *meter, in any, _ []any) any {
		if _, ok := in.([]any); ok {
			return fmt.Errorf("a list is no index: take indices")
		}
		return in
	},
	"keep":   keep,
	"one_of": oneOf,
}

// concat puts the parts of a text together.
func concat(m *meter, _ any, args []any) any {
	var out strings.Builder
	for _, a := range args {
		s, ok := a.(string)
		if !ok {
			if err := m.chargeDeep(a, 2); err != nil {
				return err
			}
			b, err := gojq.Marshal(a)
			if err != nil {
				return err
			}
			s = string(b)
		}
		if err := m.charge(len(s)); err != nil {
			return err
		}
		out.WriteString(s)
	}
	return out.String()
}

// guardOptions are the guarded functions as options of the compiler.
var guardOptions = sync.OnceValue(func() []gojq.CompilerOption {
	arities := map[string][]int{}
	for key := range guards {
		name, arity, _ := strings.Cut(key, "/")
		arities[name] = append(arities[name], int(arity[0]-'0'))
	}
	var options []gojq.CompilerOption
	for name, counts := range arities {
		least, most := counts[0], counts[0]
		for _, n := range counts {
			least, most = min(least, n), max(most, n)
		}
		options = append(options, gojq.WithFunction(guardPrefix+strings.TrimPrefix(name, "_"), least+1, most+1, guardedCall(name, counts)))
	}
	for name, run := range ownOnes {
		options = append(options, gojq.WithFunction(guardPrefix+name, 1, maxArguments+2, func(in any, args []any) any {
			m, ok := args[0].(*meter)
			if !ok {
				return fmt.Errorf("%s: no meter", name)
			}
			return run(m, in, args[1:])
		}))
	}
	return options
})

// guardedCall charges and then asks jq, by a program that is nothing but the call.
func guardedCall(name string, arities []int) func(any, []any) any {
	var codes [4]*gojq.Code // by the number of arguments
	var costs [4]cost
	for _, n := range arities {
		costs[n] = guards[fmt.Sprintf("%s/%d", name, n)]
		var variables []string
		for i := range n {
			variables = append(variables, fmt.Sprintf("$a%d", i))
		}
		text := name
		if n > 0 {
			text += "(" + strings.Join(variables, ";") + ")"
		}
		q, err := gojq.Parse(text)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", text, err)) // a fault of the list above, found by the first test
		}
		if codes[n], err = gojq.Compile(q, gojq.WithVariables(variables)); err != nil { // of jq's own too, where they are written in jq
			panic(fmt.Sprintf("%s: %v", text, err))
		}
	}
	fast, binary := quick[name], operands(name)
	return func(in any, args []any) any {
		m, ok := args[0].(*meter)
		if !ok {
			return fmt.Errorf("%s: no meter", name)
		}
		n := len(args) - 1
		values := args[1:]
		if !binary {
			values = append(append(make([]any, 0, 4), in), values...)
		}
		if err := costs[n](m, values); err != nil {
			return err
		}
		if fast != nil {
			if v, ok := fast(in, args[1:]); ok {
				return v
			}
		}
		v, ok := codes[n].Run(in, args[1:]...).Next()
		if !ok {
			return nil
		}
		return v
	}
}

// operands says that the input of a function is none of what it works on.
func operands(name string) bool {
	switch name {
	case "_add", "_subtract", "_multiply", "_divide", "_modulo", "_equal", "_notequal", "_greater", "_less", "_greatereq", "_lesseq":
		return true
	}
	return false
}
