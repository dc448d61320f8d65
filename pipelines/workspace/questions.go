package workspace

import (
	"maps"
	"time"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
)

// Location is the time zone that dates are in.
func (w *Workspace) Location() *time.Location { return w.ready.location }

// Classifier knows the workspace's channels.
func (w *Workspace) Classifier() *pipelines.Classifier { return w.ready.classifier }

// Static is the normalised tuple of each static number (E.164). The caller must not change it.
func (w *Workspace) Static() map[string]event.UTM { return w.ready.static }

// PoolNumbers says which numbers (E.164) belong to a pool. The caller must not change it.
func (w *Workspace) PoolNumbers() map[string]bool { return w.ready.pool }

// EventRules is what reading an event needs to know of the workspace.
func (w *Workspace) EventRules() *event.Rules {
	currencies := map[string]bool{w.Currency: true}
	for c := range w.FX {
		currencies[c] = true
	}
	return &event.Rules{
		Workspace: w.Name, Country: w.Country, Pepper: []byte(w.Pepper), StoreContacts: w.StoreContacts,
		Exclude: maps.Clone(w.ready.exclude), Currencies: currencies,
		Holds: w.holds,
	}
}

// holds reports whether the ledger has room for an amount. That a currency has no rate is another fault.
func (w *Workspace) holds(amount event.Money, currency string) bool {
	if _, rated := w.ready.rates[currency]; !rated {
		return true
	}
	_, ok := w.Minor(amount, currency)
	return ok
}

// CountBots reports whether the visits of bots are touches.
func (w *Workspace) CountBots() bool { return w.Bots == BotsCount }

func botsName(count bool) string {
	if count {
		return BotsCount
	}
	return BotsLeaveOut
}
