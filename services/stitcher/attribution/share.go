package attribution

import (
	"cmp"
	"math/bits"
	"slices"
)

// Share divides amount by largest remainder and appends the parts to dst: floor(|A|·w/ΣW) each, the units left over
// one by one to the largest remainder, ties to the earlier; then the amount's sign. The parts sum to amount. At least
// one weight must be positive.
func Share(amount int64, weights []uint64, dst []int64) []int64 {
	var total uint64
	for _, w := range weights {
		total += w
	}
	size := uint64(amount)
	if amount < 0 {
		size = -size // of two's complement: right for the smallest int64 too
	}
	base := len(dst)
	left := size
	var few [16]remainder // most paths are short
	rest := few[:0]
	for i, w := range weights {
		// 128 bits hold the product, and w ≤ total keeps the quotient within 64.
		hi, lo := bits.Mul64(size, w)
		q, r := bits.Div64(hi, lo, total)
		dst = append(dst, int64(q))
		left -= q
		if r > 0 {
			rest = append(rest, remainder{i, r})
		}
	}
	parts := dst[base:]
	if left > 0 {
		slices.SortFunc(rest, func(a, b remainder) int {
			return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.index, b.index))
		})
		for _, r := range rest[:left] {
			parts[r.index]++
		}
	}
	if amount < 0 {
		for i := range parts {
			parts[i] = -parts[i]
		}
	}
	return dst
}

type remainder struct {
	index int
	size  uint64
}
