package event

import (
	"math/big"
	"time"
)

var testNow = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// testRules are those of a Polish shop that sells in euros.
func testRules() *Rules {
	return &Rules{
		Workspace: "w", Country: "PL", Pepper: []byte("not-a-secret"),
		Exclude:    map[string]bool{"phone:+48221110000": true, "email:office@shop.example": true},
		Currencies: map[string]bool{"EUR": true, "USD": true},
		Holds: func(m Money, currency string) bool {
			return currency != "USD" || m.Micros().CmpAbs(big.NewInt(1e18)) < 0
		},
	}
}
