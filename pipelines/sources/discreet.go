package sources

import (
	"errors"

	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// maxDiscreet is how long what is said about a fault may be.
const maxDiscreet = 500

// Discreet says what is wrong without quoting what was sent: dead letters and logs are read by more people than the clients' data is.
// The place and the expression are the definition's own and stay.
func Discreet(err error) string {
	var wrong *mapping.Error
	var said string
	if errors.As(err, &wrong) {
		with := *wrong
		with.Err = errors.New(mapping.Mask(wrong.Err.Error()))
		said = with.Error()
	} else {
		said = mapping.Mask(err.Error())
	}
	if r := []rune(said); len(r) > maxDiscreet {
		said = string(r[:maxDiscreet]) + "…"
	}
	return said
}
