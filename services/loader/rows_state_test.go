package loader

import (
	"math"
	"testing"
)

// A length that its column cannot hold must not begin anew at zero.
func TestSecondsDoNotWrap(t *testing.T) {
	for n, want := range map[int64]uint32{0: 0, 60: 60, math.MaxUint32: math.MaxUint32, math.MaxUint32 + 1: math.MaxUint32, 1<<53 - 1: math.MaxUint32} {
		if got := seconds(n); got != want {
			t.Errorf("%d seconds became %d", n, got)
		}
	}
}
