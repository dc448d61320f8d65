package journey

import (
	"time"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Rules is what facts depend on beside the events: the workspace's configuration, read once. Two calls with the same
// arguments must give the same answer for as long as a ledger lives; a changed configuration is a new Rules and a
// rebuild.
type Rules struct {
	Workspace  string
	Location   *time.Location
	Lookback   int64 // ms
	MaxTouches int
	// Minor converts an amount in a currency (empty: the workspace's own) to minor units of the workspace's
	// currency, half away from zero. False means a currency without a rate: the door refuses those, so it can only
	// come from a rate taken out of the configuration later; the amount then counts as zero until it is back.
	Minor func(amount event.Money, currency string) (int64, bool)
	// Lean leaves out what the first programs did not post: conversations, steps of the funnel, days of deals and stays.
	Lean bool
	// CountBots makes touches of the visits that say they are no person's.
	CountBots bool
	// Static is the tuple of each static number (E.164).
	Static map[string]event.UTM
	// Pool says which numbers (E.164) belong to a pool.
	Pool map[string]bool
	// Classify resolves an origin to its tuple by SPEC §4 and the channel rules.
	Classify func(event.Origin) fact.Tuple
	// Tuple puts a utm tuple into its channel as it is, even an empty one: of spend and static numbers.
	Tuple func(event.UTM) fact.Tuple
}

// counts reports whether a visit is a touch.
func (r *Rules) counts(v *event.VisitData) bool { return !v.Bot || r.CountBots }

func (r *Rules) minor(m *event.Money, currency string) int64 {
	if m == nil {
		return 0
	}
	v, _ := r.Minor(*m, currency)
	return v
}

// dateOf is the day of a moment, none of none; lean facts have none at all.
func (r *Rules) dateOf(ms int64) fact.Date {
	if ms == 0 || r.Lean {
		return 0
	}
	return r.Date(ms)
}

// Date is the day of a moment in the workspace's time zone.
func (r *Rules) Date(ms int64) fact.Date {
	const day = 86_400
	t := time.UnixMilli(ms)
	_, offset := t.In(r.Location).Zone()
	s := t.Unix() + int64(offset)
	d := s / day
	if s%day < 0 {
		d--
	}
	return fact.Date(d)
}
