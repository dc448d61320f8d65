package mapping

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// Money is never a float here: what was written, digit for digit, is what is counted with.

// decimalForm bounds the exponent too: 1e999999999 would be a gigabyte.
var decimalForm = regexp.MustCompile(`^-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$`)

// number is a number or a text as an exact decimal.
func number(in any) (decimal.Decimal, error) {
	s, err := str(in)
	if err != nil {
		return decimal.Decimal{}, err
	}
	if !decimalForm.MatchString(s) {
		return decimal.Decimal{}, fmt.Errorf("%.40q is no decimal", s)
	}
	return decimal.NewFromString(s)
}

// digitsOfMoney is how many digits an amount may have behind the point (SPEC §2); more are rounded, half away from zero.
const digitsOfMoney = 6

func plain(d decimal.Decimal) string {
	s := d.Round(digitsOfMoney).String()
	if s == "-0" {
		return "0"
	}
	return s
}

// decimalOf is a number, or a text that people wrote with a decimal sign (decimal(",")), as a decimal.
func decimalOf(in any, args []any) (any, error) {
	if len(args) == 1 {
		sign, ok := args[0].(string)
		text, isText := in.(string)
		if !ok || sign != "." && sign != "," {
			return nil, fmt.Errorf(`the decimal sign is "." or ","`)
		}
		if isText {
			s, err := items.Decimal(text, sign[0])
			if err != nil {
				return nil, err
			}
			in = s
		}
	}
	// An amount that is an event's money already stays as it was written: 1200.50 is not 1200.5 to whoever reads it.
	if s, err := str(in); err == nil && plainMoney.MatchString(s) {
		return s, nil
	}
	d, err := number(in)
	if err != nil {
		return nil, err
	}
	return plain(d), nil
}

var plainMoney = regexp.MustCompile(`^-?[0-9]{1,13}(\.[0-9]{1,6})?$`)

// shifted is a whole number of parts of which 10^digits are one.
func shifted(in any, digits int32) (any, error) {
	s, err := str(in)
	if err != nil || s == "" {
		return nil, err
	}
	d, err := number(in)
	if err != nil {
		return nil, err
	}
	return plain(d.Shift(-digits)), nil
}

// minor is an amount in the smallest unit: minor(2) of cents.
func minor(in any, args []any) (any, error) {
	n, ok := args[0].(int)
	if !ok || n < 0 || n > digitsOfMoney {
		return nil, fmt.Errorf("the digits behind the point are 0 to %d", digitsOfMoney)
	}
	return shifted(in, int32(n))
}

// arithmetic is one of dec_add(a; b), dec_sub(a; b) and dec_mul(a; b); null counts as nothing, that is 0.
func arithmetic(name string) func(any, []any) (any, error) {
	return func(_ any, args []any) (any, error) {
		a, err := orZero(args[0])
		if err != nil {
			return nil, err
		}
		b, err := orZero(args[1])
		if err != nil {
			return nil, err
		}
		switch name {
		case "dec_add":
			return plain(a.Add(b)), nil
		case "dec_sub":
			return plain(a.Sub(b)), nil
		}
		return plain(a.Mul(b)), nil
	}
}

func orZero(in any) (decimal.Decimal, error) {
	if s, ok := in.(string); in == nil || ok && strings.TrimSpace(s) == "" {
		return decimal.Zero, nil
	}
	return number(in)
}

// decimalSum is the sum of a list.
func decimalSum(in any, _ []any) (any, error) {
	list, ok := in.([]any)
	if !ok {
		return nil, fmt.Errorf("a list is needed")
	}
	sum := decimal.Zero
	for _, e := range list {
		d, err := orZero(e)
		if err != nil {
			return nil, err
		}
		sum = sum.Add(d)
	}
	return plain(sum), nil
}
