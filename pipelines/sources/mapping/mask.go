package mapping

import (
	"regexp"
	"strings"
)

// quoted is what may be a client's in what is said about a fault: texts in quotes, what jq shows of a value, long numbers, addresses.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|\b(?:object|array|string|number) \([^)]*\)?|[+0-9][0-9 ().-]{4,}[0-9]|[^\s@]+@[^\s@]+`)

// maxMasked is how much of what is said is looked at, and told.
const maxMasked = 500

// Mask takes out of what is said about a fault what may be a client's.
func Mask(said string) string {
	if len(said) > maxMasked {
		said = strings.ToValidUTF8(said[:maxMasked], "") + "…"
	}
	return quoted.ReplaceAllString(said, "…")
}
