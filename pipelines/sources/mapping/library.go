package mapping

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/itchyny/gojq"

	"github.com/throughline-io/throughline/schemas/event"
)

//go:embed library.jq
var libraryJQ string

// function is one of ours: what it makes of its input and arguments. README.md of pipelines/sources describes each.
type function struct {
	name     string
	min, max int
	run      func(in any, args []any) (any, error)
}

var functions = []function{
	{"text", 0, 0, func(in any, _ []any) (any, error) { return text(in) }},
	{"unix_seconds", 0, 0, func(in any, _ []any) (any, error) { return unix(in, 1_000_000) }},
	{"unix_ms", 0, 0, func(in any, _ []any) (any, error) { return unix(in, 1_000) }},
	{"time_ms", 0, 0, func(in any, _ []any) (any, error) { return timeMS(in) }},
	{"local_time", 1, 2, localTime},
	{"date", 1, 1, date},
	{"excel_date", 0, 0, excelDate},
	{"excel_time", 1, 1, excelTime},
	{"decimal", 0, 1, decimalOf},
	{"money", 0, 0, money},
	{"compact", 0, 0, func(in any, _ []any) (any, error) { return compact(in), nil }},
	{"dig", 1, 1, dig},
	{"field", 1, 1, field},
	{"micros", 0, 0, func(in any, _ []any) (any, error) { return shifted(in, 6) }},
	{"minor", 1, 1, minor},
	{"dec_add", 2, 2, arithmetic("dec_add")},
	{"dec_sub", 2, 2, arithmetic("dec_sub")},
	{"dec_mul", 2, 2, arithmetic("dec_mul")},
	{"dec_sum", 0, 0, decimalSum},
	{"utm", 0, 0, utm},
	{"click_ids", 0, 0, clickIDs},
	{"url_query", 0, 0, urlQuery},
	{"absolute_url", 0, 0, absoluteURL},
	{"phone", 1, 1, phone},
	{"stable_id", 0, maxFieldsOfID, stableID},
	{"sha256", 0, 0, sha256Hex},
}

// library are the functions as options of the compiler.
var library = sync.OnceValue(func() []gojq.CompilerOption {
	var options []gojq.CompilerOption
	for _, f := range functions {
		options = append(options, gojq.WithFunction(f.name, f.min, f.max, func(in any, args []any) any {
			v, err := f.run(in, args)
			if err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			return v
		}))
	}
	return options
})

// text is an id as text, digit for digit: of a number what was written; null of null and of a blank.
func text(in any) (any, error) {
	s, err := str(in)
	if err != nil || s == "" {
		return nil, err
	}
	return s, nil
}

// str is a scalar as trimmed text.
func str(in any) (string, error) {
	switch v := in.(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(v), nil
	case json.Number:
		return v.String(), nil
	case int, float64, bool:
		b, err := gojq.Marshal(v)
		return string(b), err
	case *big.Int:
		if v.BitLen() > 1<<12 {
			return "", fmt.Errorf("%w: the number is too long", ErrLimit)
		}
		return v.String(), nil
	}
	return "", fmt.Errorf("a text or a number is needed, and it is an %s", gojq.TypeOf(in))
}

// phone is E.164 in a country; null where it is no possible number.
func phone(in any, args []any) (any, error) {
	s, err := str(in)
	if err != nil {
		return nil, err
	}
	country, err := str(args[0])
	if err != nil {
		return nil, err
	}
	if n, ok := event.Phone(s, country); ok {
		return n, nil
	}
	return nil, nil
}

// maxFieldsOfID is how many fields an id may be made of.
const maxFieldsOfID = 16

// stableID is an id made of named fields of an object, or of the input itself where none is named: the same for the same content,
// whatever the order of fields.
func stableID(in any, args []any) (any, error) {
	if len(args) > 0 {
		object, ok := in.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("an object is needed, and it is an %s", gojq.TypeOf(in))
		}
		picked := make([]any, len(args))
		for i, a := range args {
			name, ok := a.(string)
			if !ok {
				return nil, fmt.Errorf("a field's name is needed, and it is an %s", gojq.TypeOf(a))
			}
			picked[i] = object[name]
		}
		in = picked
	}
	b, err := JSON(in)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}

func sha256Hex(in any, _ []any) (any, error) {
	s, ok := in.(string)
	if !ok {
		return nil, fmt.Errorf("a text is needed, and it is an %s", gojq.TypeOf(in))
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:]), nil
}
