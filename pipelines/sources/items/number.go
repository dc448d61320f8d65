package items

import (
	"fmt"
	"strings"
	"unicode"
)

// Decimal reads a number as people and their programs write it, by its decimal sign, and gives it as a plain decimal: an optional
// minus, digits, and digits behind a point. Blanks and apostrophes between thousands, signs of money and of per cent are left
// out. The other sign separates thousands, and must stand where thousands end: "12,5" is no number where the sign is a point, and
// is never read as 125.
func Decimal(text string, decimal byte) (string, error) {
	thousands := byte(',')
	if decimal == ',' {
		thousands = '.'
	}
	s := strings.TrimSpace(text)
	negative := false
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") { // as accountants do
		negative, s = true, s[1:len(s)-1]
	}
	var whole, fraction strings.Builder
	part, group := &whole, -1 // digits since a sign of thousands; -1: there was none
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			part.WriteRune(r)
			if part == &whole && group >= 0 {
				group++
			}
		case (r == '-' || r == '\u2212') && whole.Len() == 0 && !negative:
			negative = true
		case r == '+' && whole.Len() == 0:
		case r == rune(decimal) && part == &whole && (group < 0 || group == 3):
			part = &fraction
		case r == rune(thousands) && part == &whole && whole.Len() > 0 && (group < 0 || group == 3 || group == 2):
			group = 0 // 2: the groups of India
		case unicode.IsSpace(r) || r == '\'' || r == '\u2019' || r == '%' || unicode.Is(unicode.Sc, r):
		default:
			return "", fmt.Errorf("%.40q is no number with the decimal sign %q (byte %d)", text, decimal, i)
		}
	}
	if whole.Len() == 0 && fraction.Len() == 0 || part == &whole && group >= 0 && group != 3 {
		return "", fmt.Errorf("%.40q is no number with the decimal sign %q", text, decimal)
	}
	out := strings.TrimLeft(whole.String(), "0")
	if out == "" {
		out = "0"
	}
	if fraction.Len() > 0 {
		out += "." + fraction.String()
	}
	if negative && strings.Trim(out, "0.") != "" {
		out = "-" + out
	}
	return out, nil
}
