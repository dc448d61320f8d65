package event

import (
	"math/big"
	"strings"
)

// Limits of an amount: digits before and after the point.
const (
	moneyWhole    = 13
	moneyFraction = 6
)

// ParseMoney checks a decimal as a sender writes it: an optional minus, 1 to 13 digits, and, after a point, 1 to 6.
func ParseMoney(s string) (Money, bool) {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if !digits(whole, moneyWhole) || point && !digits(fraction, moneyFraction) {
		return "", false
	}
	return Money(s), true
}

func digits(s string, limit int) bool {
	if len(s) == 0 || len(s) > limit {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Micros is the amount in millionths, exactly.
func (m Money) Micros() *big.Int {
	whole, fraction, _ := strings.Cut(string(m), ".")
	n, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", moneyFraction-len(fraction)), 10)
	if !ok {
		return new(big.Int)
	}
	return n
}
