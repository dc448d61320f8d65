package mapping

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// compact is an object or a list without what says nothing: null, "", [] and {}. It looks no deeper.
func compact(in any) any {
	switch v := in.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, e := range v {
			if says(e) {
				out[name] = e
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if says(e) {
				out = append(out, e)
			}
		}
		return out
	}
	return in
}

func says(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// dig goes a way that a table or a setting names, such as contact.phones.0.value; a field that has the whole name comes first. What is
// not there is null.
func dig(in any, args []any) (any, error) {
	way, ok := args[0].(string)
	if !ok {
		if args[0] == nil {
			return nil, nil
		}
		return nil, fmt.Errorf("a way is a text such as contact.phone, and it is an %s", gojq.TypeOf(args[0]))
	}
	if object, ok := in.(map[string]any); ok {
		if v, ok := object[way]; ok {
			return v, nil
		}
	}
	for step := range strings.SplitSeq(way, ".") {
		switch at := in.(type) {
		case map[string]any:
			in = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil, nil
			}
			in = at[i]
		default:
			return nil, nil
		}
	}
	return in, nil
}

// money is an amount as decimal reads it; blank is null.
func money(in any, _ []any) (any, error) {
	if in == nil || in == "" {
		return nil, nil
	}
	return decimalOf(in, nil)
}

// field is what an object has under a name, which may be a number; null of no object, no name, and of one that it does not have.
func field(in any, args []any) (any, error) {
	name, err := str(args[0])
	if err != nil {
		return nil, err
	}
	switch object := in.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return object[name], nil
	}
	return nil, fmt.Errorf("an object is needed, and it is an %s", gojq.TypeOf(in))
}
