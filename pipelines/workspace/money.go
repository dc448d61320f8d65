package workspace

import (
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/throughline-io/throughline/schemas/event"
)

// rateForm bounds a rate to what any currency needs: 1 of the dearest in the cheapest, and the other way.
var rateForm = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,12})?$`)

// decimalForm keeps exponents and fractions from big.Rat, which would take them and, with 1e999999999, all memory.
var decimalForm = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

// maxMinor is what the ledger's Decimal(18,2) holds, in minor units.
const maxMinor = 999_999_999_999_999_999

func (w *Workspace) checkMoney(f *faults) map[string]*big.Rat {
	if !currencyForm.MatchString(w.Currency) {
		f.add("currency", "%q is not three letters", w.Currency)
	}
	rates := make(map[string]*big.Rat, len(w.FX))
	for _, currency := range slices.Sorted(maps.Keys(w.FX)) {
		path, rate := "fx."+currency, string(w.FX[currency])
		switch {
		case !currencyForm.MatchString(currency):
			f.add(path, "%q is not three capital letters", currency)
		case currency == w.Currency:
			f.add(path, "%q is the workspace's own currency, whose rate is 1", currency)
		}
		if !decimalForm.MatchString(rate) {
			f.add(path, "%q is not a decimal", rate)
			continue
		}
		r, ok := new(big.Rat).SetString(rate)
		if !ok || !rateForm.MatchString(rate) || r.Sign() == 0 {
			f.add(path, "%q is not a positive decimal of at most 9 digits before the point and 12 after", rate)
			continue
		}
		rates[currency] = r
	}
	return rates
}

// Minor converts an amount (empty currency: the workspace's own) to minor units of the workspace's currency: amount ×
// rate, exactly, then half away from zero to 1/100. It is false for a currency without a rate, for what is no amount, and
// for a result that the ledger cannot hold.
func (w *Workspace) Minor(amount event.Money, currency string) (int64, bool) {
	if _, ok := event.ParseMoney(string(amount)); !ok {
		return 0, false
	}
	if currency == "" || currency == w.Currency {
		return ownMinor(amount), true
	}
	rate, ok := w.ready.rates[currency]
	if !ok {
		return 0, false
	}
	v := new(big.Rat).SetFrac(amount.Micros(), big.NewInt(1_000_000))
	v.Mul(v, rate)
	// Half away from zero: (2·|num|·100 + den) / (2·den), cut, then the sign.
	num := new(big.Int).Abs(v.Num())
	num.Mul(num, big.NewInt(200)).Add(num, v.Denom())
	num.Quo(num, new(big.Int).Lsh(v.Denom(), 1))
	if !num.IsInt64() || num.Int64() > maxMinor {
		return 0, false
	}
	minor := num.Int64()
	if v.Sign() < 0 {
		minor = -minor
	}
	return minor, true
}

// ownMinor is an amount of the workspace's own currency, which most are: no more than 13 digits before the point, so that it always fits.
func ownMinor(amount event.Money) int64 {
	var n int64
	digits, negative := strings.CutPrefix(string(amount), "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	for _, c := range []byte(whole) {
		n = 10*n + int64(c-'0')
	}
	for i := range 2 {
		n *= 10
		if i < len(fraction) {
			n += int64(fraction[i] - '0')
		}
	}
	if len(fraction) > 2 && fraction[2] >= '5' {
		n++
	}
	if negative {
		n = -n
	}
	return n
}
