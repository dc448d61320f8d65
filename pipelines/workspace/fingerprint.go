package workspace

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/throughline-io/throughline/pipelines"
)

// arithmetic counts changes of the code that give the same events other facts: raise it with such a change, and every
// workspace is rebuilt once.
const arithmetic = 1

// facts is raised with every kind of facts that is added: 1 is conversations, steps of the funnel and the days of deals and stays.
const facts = 1

// Canonical is what facts depend on beside the events, in one form: whoever keeps facts compares it and rebuilds them
// where it differs. Keys, passwords and whatever was applied at the door already (pepper, country, excluded identities)
// are no part of it.
func (w *Workspace) Canonical() []byte {
	rates := make(map[string]string, len(w.ready.rates))
	for currency, rate := range w.ready.rates {
		rates[currency] = rate.RatString() // "0.50" and "0.5" are one rate
	}
	b, err := json.Marshal(canonical{
		arithmetic, w.Timezone, w.Currency, w.Lookback.Milliseconds(), w.MaxTouches, rates, w.ready.static,
		slices.Sorted(maps.Keys(w.ready.pool)), append([]ChannelRule{}, w.Channels...), pipelines.DefaultChannels(), w.CountBots(), w.ready.facts,
	})
	if err != nil {
		panic(fmt.Sprintf("workspace %s: %v", w.Name, err)) // strings, numbers, lists and maps of them: it cannot fail
	}
	return b
}

// LeanFacts reports that facts of this configuration are those of the first programs.
func (w *Workspace) LeanFacts() bool { return w.ready.facts == 0 }

// Fingerprint is the hash of Canonical.
func (w *Workspace) Fingerprint() string {
	sum := sha256.Sum256(w.Canonical())
	return hex.EncodeToString(sum[:])
}
