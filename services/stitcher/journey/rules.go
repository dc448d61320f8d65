package journey

import (
	"time"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Rules is what facts depend on beside the events: the workspace's configuration, read once.
type Rules struct {
	Workspace  string
	Location   *time.Location
	Lookback   int64 // ms
	MaxTouches int
	Currency   string
	// Minor converts an amount in a currency (empty: the workspace's own) to minor units of the workspace's
	// currency, half away from zero. Currencies were checked at the door; false means a rate that has gone since.
	Minor func(amount event.Money, currency string) (int64, bool)
	// Static is the tuple of each static number (E.164).
	Static map[string]event.UTM
	// Pool says which numbers (E.164) belong to a pool.
	Pool map[string]bool
	// Classify resolves an origin to its tuple by SPEC §4 and the channel rules.
	Classify func(event.Origin) fact.Tuple
}
