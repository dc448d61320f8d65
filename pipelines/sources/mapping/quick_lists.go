package mapping

import (
	"maps"
	"slices"
	"strings"

	"github.com/itchyny/gojq"
)

// addAll is the sum of a list of texts, of lists or of objects; null is left out.
func addAll(in any) (any, bool) {
	list, ok := in.([]any)
	if !ok {
		return nil, false
	}
	var text strings.Builder
	var all []any
	var object map[string]any
	var kinds [3]bool
	for _, e := range list {
		switch e := e.(type) {
		case nil:
		case string:
			text.WriteString(e)
			kinds[0] = true
		case []any:
			all = append(all, e...)
			kinds[1] = true
		case map[string]any:
			if object == nil {
				object = make(map[string]any, len(list))
			}
			maps.Copy(object, e)
			kinds[2] = true
		default:
			return nil, false
		}
	}
	switch kinds {
	case [3]bool{}:
		return nil, true
	case [3]bool{true, false, false}:
		return text.String(), true
	case [3]bool{false, true, false}:
		if all == nil {
			all = []any{}
		}
		return all, true
	case [3]bool{false, false, true}:
		return object, true
	}
	return nil, false // jq says what is wrong
}

func toEntries(in any, _ []any) (any, bool) {
	object, ok := in.(map[string]any)
	if !ok {
		return nil, false
	}
	out := make([]any, 0, len(object))
	for _, k := range slices.Sorted(maps.Keys(object)) {
		out = append(out, map[string]any{"key": k, "value": object[k]})
	}
	return out, true
}

// fromEntries is for entries as to_entries makes them.
func fromEntries(in any, _ []any) (any, bool) {
	list, ok := in.([]any)
	if !ok {
		return nil, false
	}
	out := make(map[string]any, len(list))
	for _, e := range list {
		entry, ok := e.(map[string]any)
		if !ok {
			return nil, false
		}
		name, ok := entry["key"].(string)
		value, has := entry["value"]
		if !ok || !has {
			return nil, false
		}
		out[name] = value
	}
	return out, true
}

// join is for texts.
func join(in any, args []any) (any, bool) {
	list, ok := in.([]any)
	by, isText := args[0].(string)
	if !ok || !isText {
		return nil, false
	}
	parts := make([]string, len(list))
	for i, e := range list {
		if parts[i], ok = e.(string); !ok {
			return nil, false
		}
	}
	return strings.Join(parts, by), true
}

// indexOf is where a text stands in a list.
func indexOf(in any, args []any) (any, bool) {
	list, ok := in.([]any)
	if _, isText := args[0].(string); !ok || !isText {
		return nil, false
	}
	for i, e := range list {
		if gojq.Compare(e, args[0]) == 0 {
			return i, true
		}
	}
	return nil, true
}
