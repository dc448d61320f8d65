package sources

import (
	"errors"
	"regexp"

	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// quoted is what may be a client's in what is said about a fault: texts in quotes, what jq shows of a value, long numbers, addresses.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|\b(?:object|array|string|number) \([^)]*\)?|[+0-9][0-9 ().-]{4,}[0-9]|[^\s@]+@[^\s@]+`)

// maxDiscreet is how long what is said about a fault may be.
const maxDiscreet = 500

// Discreet says what is wrong without quoting what was sent: dead letters and logs are read by more people than the clients' data is.
// The place and the expression are the definition's own and stay.
func Discreet(err error) string {
	var wrong *mapping.Error
	var said string
	if errors.As(err, &wrong) {
		with := *wrong
		with.Err = errors.New(quoted.ReplaceAllString(wrong.Err.Error(), "…"))
		said = with.Error()
	} else {
		said = quoted.ReplaceAllString(err.Error(), "…")
	}
	if r := []rune(said); len(r) > maxDiscreet {
		said = string(r[:maxDiscreet]) + "…"
	}
	return said
}
