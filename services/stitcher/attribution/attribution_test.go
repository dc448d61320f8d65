package attribution

import (
	"math/big"
	"slices"
	"sort"
	"testing"

	"pgregory.net/rapid"

	"github.com/throughline-io/throughline/schemas/fact"
)

const day = 86_400_000

func path(end, created int64, touches ...Touch) Path {
	return Path{Touches: touches, End: end, Created: created}
}

func TestWeights(t *testing.T) {
	at := func(days ...int64) []Touch {
		var out []Touch
		for _, d := range days {
			out = append(out, Touch{Time: d * day})
		}
		return out
	}
	direct := func(ts []Touch, is ...int) []Touch {
		for _, i := range is {
			ts[i].Direct = true
		}
		return ts
	}
	for _, c := range []struct {
		name  string
		model fact.Model
		path  Path
		want  []uint64
	}{
		{"first of three", fact.FirstTouch, path(9*day, 0, at(1, 2, 3)...), []uint64{1, 0, 0}},
		{"last of three", fact.LastTouch, path(9*day, 0, at(1, 2, 3)...), []uint64{0, 0, 1}},
		{"last that is not direct", fact.LastNonDirect, path(9*day, 0, direct(at(1, 2, 3), 2)...), []uint64{0, 1, 0}},
		{"all direct: the last", fact.LastNonDirect, path(9*day, 0, direct(at(1, 2), 0, 1)...), []uint64{0, 1}},
		{"linear", fact.Linear, path(9*day, 0, at(1, 2, 3)...), []uint64{1, 1, 1}},
		{"decay halves in a week", fact.TimeDecay, path(15*day, 0, at(1, 8, 15)...), []uint64{250_000_000, 500_000_000, 1_000_000_000}},
		{"decay never reaches zero", fact.TimeDecay, path(1000*day, 0, at(1, 1000)...), []uint64{1, 1_000_000_000}},
		{"decay rounds half away from zero at ten weeks", fact.TimeDecay, path(70*day, 0, at(0)...), []uint64{976_563}},
		{"position of one", fact.PositionBased, path(9*day, 0, at(1)...), []uint64{1}},
		{"position of two", fact.PositionBased, path(9*day, 0, at(1, 2)...), []uint64{1, 1}},
		{"position of three", fact.PositionBased, path(9*day, 0, at(1, 2, 3)...), []uint64{2, 1, 2}},
		{"position of five", fact.PositionBased, path(9*day, 0, at(1, 2, 3, 4, 5)...), []uint64{6, 1, 1, 1, 6}},
		{"w: three distinct and two others", fact.WShaped, path(9*day, 3*day, at(1, 2, 3, 4, 5)...), []uint64{18, 3, 18, 3, 18}},
		{"w: the lead is the last", fact.WShaped, path(9*day, 9*day, at(1, 2, 3)...), []uint64{9, 2, 9}},
		{"w: none before the deal, the first leads", fact.WShaped, path(9*day, 0, at(1, 2, 3)...), []uint64{9, 2, 9}},
		{"w: all are key", fact.WShaped, path(9*day, 2*day, at(1, 2, 3)...), []uint64{1, 1, 1}},
		{"w: one", fact.WShaped, path(9*day, 2*day, at(1)...), []uint64{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Weights(c.model, c.path, nil); !slices.Equal(got, c.want) {
				t.Errorf("weights %v, want %v", got, c.want)
			}
		})
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		name    string
		amount  int64
		weights []uint64
		want    []int64
	}{
		{"one cent over three", 1, []uint64{1, 1, 1}, []int64{1, 0, 0}},
		{"a hundred over three", 10_000, []uint64{1, 1, 1}, []int64{3334, 3333, 3333}},
		{"taken back just so", -10_000, []uint64{1, 1, 1}, []int64{-3334, -3333, -3333}},
		{"ties go to the earlier", 3, []uint64{1, 1}, []int64{2, 1}},
		{"the larger remainder first", 5, []uint64{1, 2}, []int64{2, 3}},
		{"nothing", 0, []uint64{1, 2}, []int64{0, 0}},
		{"a weight of zero gets nothing", 7, []uint64{0, 1, 0}, []int64{0, 7, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Share(c.amount, c.weights, nil); !slices.Equal(got, c.want) {
				t.Errorf("parts %v, want %v", got, c.want)
			}
		})
	}
}

// TestShareAgreesWithBigIntegers proves the 128-bit arithmetic against the definition in arbitrary precision.
func TestShareAgreesWithBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(-1_000_000_000_000_000_000, 1_000_000_000_000_000_000).Draw(t, "amount")
		weights := rapid.SliceOfN(rapid.Uint64Range(0, 1_000_000_000), 1, 40).Draw(t, "weights")
		weights = append(weights, 1)
		got := Share(amount, weights, nil)
		want := definition(amount, weights)
		if !slices.Equal(got, want) {
			t.Fatalf("Share(%d, %v) = %v, want %v", amount, weights, got, want)
		}
	})
}

func definition(amount int64, weights []uint64) []int64 {
	total, size := new(big.Int), new(big.Int).Abs(big.NewInt(amount))
	for _, w := range weights {
		total.Add(total, new(big.Int).SetUint64(w))
	}
	parts, rems, order := make([]*big.Int, len(weights)), make([]*big.Int, len(weights)), make([]int, len(weights))
	left := new(big.Int).Set(size)
	for i, w := range weights {
		parts[i], rems[i] = new(big.Int).QuoRem(new(big.Int).Mul(size, new(big.Int).SetUint64(w)), total, new(big.Int))
		left.Sub(left, parts[i])
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return rems[order[a]].Cmp(rems[order[b]]) > 0 })
	for _, i := range order[:left.Int64()] {
		parts[i].Add(parts[i], big.NewInt(1))
	}
	out := make([]int64, len(parts))
	for i, p := range parts {
		out[i] = p.Int64()
		if amount < 0 {
			out[i] = -out[i]
		}
	}
	return out
}
