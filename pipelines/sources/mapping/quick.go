package mapping

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/itchyny/gojq"

	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// quick are guarded functions in the cases that are most frequent, which need not be asked of jq: asking costs a machine of its own. False
// is every other case. TestSameAsJQ holds them to what jq gives.
var quick = map[string]func(in any, args []any) (any, bool){
	"_add":       func(_ any, args []any) (any, bool) { return add(args[0], args[1]) },
	"_equal":     func(_ any, args []any) (any, bool) { return gojq.Compare(args[0], args[1]) == 0, true },
	"_notequal":  func(_ any, args []any) (any, bool) { return gojq.Compare(args[0], args[1]) != 0, true },
	"_greater":   func(_ any, args []any) (any, bool) { return gojq.Compare(args[0], args[1]) > 0, true },
	"_less":      func(_ any, args []any) (any, bool) { return gojq.Compare(args[0], args[1]) < 0, true },
	"_greatereq": func(_ any, args []any) (any, bool) { return gojq.Compare(args[0], args[1]) >= 0, true },
	"_lesseq":    func(_ any, args []any) (any, bool) { return gojq.Compare(args[0], args[1]) <= 0, true },
	"tostring": func(in any, _ []any) (any, bool) {
		s, ok := in.(string)
		return s, ok
	},
	"fromjson": func(in any, _ []any) (any, bool) {
		s, ok := in.(string)
		if !ok {
			return nil, false
		}
		v, err := items.Value([]byte(s), maxMemory)
		if err != nil {
			return fmt.Errorf("fromjson: %w", err), true
		}
		return v, true
	},
	"add":          func(in any, _ []any) (any, bool) { return addAll(in) },
	"to_entries":   toEntries,
	"from_entries": fromEntries,
	"join":         join,
	"index":        indexOf,
	"keys": func(in any, _ []any) (any, bool) {
		object, ok := in.(map[string]any)
		if !ok {
			return nil, false
		}
		names := slices.Sorted(maps.Keys(object))
		out := make([]any, len(names))
		for i, n := range names {
			out[i] = n
		}
		return out, true
	},
	"split": func(in any, args []any) (any, bool) {
		s, ok := in.(string)
		by, isText := args[0].(string)
		if !ok || !isText || s == "" || by == "" {
			return nil, false
		}
		parts := strings.Split(s, by)
		out := make([]any, len(parts))
		for i, p := range parts {
			out[i] = p
		}
		return out, true
	},
	"ascii_downcase": func(in any, _ []any) (any, bool) { return ascii(in, 'A', 'Z') },
	"ascii_upcase":   func(in any, _ []any) (any, bool) { return ascii(in, 'a', 'z') },
	"_match":         tested,
}

// add is + of two texts, two lists, two objects, or anything and null.
func add(l, r any) (any, bool) {
	if l == nil {
		return r, true
	}
	if r == nil {
		return l, true
	}
	switch l := l.(type) {
	case string:
		r, ok := r.(string)
		return l + r, ok
	case []any:
		r, ok := r.([]any)
		if !ok {
			return nil, false
		}
		return append(append(make([]any, 0, len(l)+len(r)), l...), r...), true
	case map[string]any:
		r, ok := r.(map[string]any)
		if !ok {
			return nil, false
		}
		out := make(map[string]any, len(l)+len(r))
		maps.Copy(out, l)
		maps.Copy(out, r)
		return out, true
	}
	return nil, false
}

// ascii changes the case of letters in a range.
func ascii(in any, from, to byte) (any, bool) {
	s, ok := in.(string)
	if !ok {
		return nil, false
	}
	b := []byte(s)
	for i, c := range b {
		if c >= from && c <= to {
			b[i] = c ^ 0x20
		}
	}
	return string(b), true
}

// expressions are those of test, compiled. A program's own are few; those that it makes of data fill it up and are then compiled each time.
var expressions = struct {
	sync.RWMutex
	known map[string]*regexp.Regexp
}{known: map[string]*regexp.Regexp{}}

const maxExpressions = 1_000

// tested is test without flags.
func tested(in any, args []any) (any, bool) {
	s, ok := in.(string)
	text, isText := args[0].(string)
	if !ok || !isText || args[1] != nil || args[2] != true {
		return nil, false
	}
	expressions.RLock()
	r := expressions.known[text]
	expressions.RUnlock()
	if r == nil {
		var err error
		if r, err = regexp.Compile(text); err != nil {
			return nil, false // jq says what is wrong
		}
		expressions.Lock()
		if len(expressions.known) < maxExpressions {
			expressions.known[text] = r
		}
		expressions.Unlock()
	}
	return r.MatchString(s), true
}
