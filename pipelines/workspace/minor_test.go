package workspace

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/throughline-io/throughline/schemas/event"
)

// An amount in the workspace's own currency is read without fractions; it is what exact fractions give.
func TestOwnCurrencyIsExact(t *testing.T) {
	w := &Workspace{Currency: "UAH"}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[0-9]{1,13}(\.[0-9]{1,6})?`).Draw(t, "amount")
		v, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatal(text)
		}
		v.Mul(v, big.NewRat(100, 1)).Add(v, big.NewRat(int64(v.Sign()), 2)) // half away from zero, then cut
		want := new(big.Int).Quo(v.Num(), v.Denom())
		for _, currency := range []string{"", "UAH"} {
			if got, ok := w.Minor(event.Money(text), currency); !ok || fmt.Sprint(got) != want.String() {
				t.Fatalf("%s: %d, want %s", text, got, want)
			}
		}
	})
}
