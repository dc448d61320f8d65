package journey

import (
	"cmp"
	"time"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// SpendKey is what ad platforms restate: one account's day under one utm tuple.
type SpendKey struct {
	Source, Account, Date string
	UTM                   event.UTM
}

// SpendKeyOf is the key that a spend event reports.
func SpendKeyOf(e *event.Event) SpendKey {
	return SpendKey{e.Source, e.Spend.Account, e.Spend.Date, e.Spend.UTM.Said()}
}

// Restates reports that e stands in place of old: the greatest (time, id) of a key does.
func Restates(e, old *event.Event) bool {
	return cmp.Or(cmp.Compare(e.Time, old.Time), cmp.Compare(e.ID, old.ID)) > 0
}

// SpendRow is the row of the event that stands for its key.
func SpendRow(e *event.Event, sign int32, r *Rules) fact.SpendRow {
	s := e.Spend
	return fact.SpendRow{
		Sign: sign, EventID: e.Key(), Account: s.Account, Date: spendDate(s.Date), Impressions: s.Impressions, Clicks: s.Clicks,
		Amount: r.minor(&s.Amount, s.Currency), Tuple: r.Tuple(s.UTM),
	}
}

// spendDate reads a date that was checked when the event was accepted.
func spendDate(s string) fact.Date {
	t, _ := time.Parse(time.DateOnly, s)
	return fact.Date(t.Unix() / 86_400)
}
