package workspace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"time"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
)

// canonical is the form of Canonical. It is stored: fields may be added, and one that is taken away or read otherwise
// raises arithmetic.
type canonical struct {
	Arithmetic      int                  `json:"arithmetic"`
	Timezone        string               `json:"timezone"`
	Currency        string               `json:"currency"`
	Lookback        int64                `json:"lookback_ms"`
	MaxTouches      int                  `json:"max_touches"`
	FX              map[string]string    `json:"fx"`
	StaticNumbers   map[string]event.UTM `json:"static_numbers"`
	PoolNumbers     []string             `json:"pool_numbers"`
	Channels        []ChannelRule        `json:"channels"`
	DefaultChannels json.RawMessage      `json:"default_channels"`
	CountBots       bool                 `json:"count_bots,omitempty"`
	// Facts counts the kinds of facts that were added since the first programs, which wrote none: a workspace whose facts lack some
	// is rebuilt, and gets them with entries of their own.
	Facts int `json:"facts,omitempty"`
}

// FromCanonical is the workspace as far as facts depend on it: what facts were computed by before the configuration was
// changed. Its keys, pepper and the like are empty.
func FromCanonical(b []byte) (*Workspace, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var c canonical
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("canonical configuration: %w", err)
	}
	if c.Arithmetic != arithmetic {
		return nil, fmt.Errorf("canonical configuration: of arithmetic %d, this program has %d", c.Arithmetic, arithmetic)
	}
	location, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return nil, fmt.Errorf("canonical configuration: %w", err)
	}
	r := &ready{location: location, rates: map[string]*big.Rat{}, static: c.StaticNumbers, pool: map[string]bool{}, facts: c.Facts}
	for currency, rate := range c.FX {
		v, ok := new(big.Rat).SetString(rate)
		if !ok {
			return nil, fmt.Errorf("canonical configuration: rate %q of %s", rate, currency)
		}
		r.rates[currency] = v
	}
	for _, n := range c.PoolNumbers {
		r.pool[n] = true
	}
	if r.classifier, err = pipelines.NewClassifierOf(c.DefaultChannels, c.Channels); err != nil {
		return nil, fmt.Errorf("canonical configuration: %w", err)
	}
	return &Workspace{
		Timezone: c.Timezone, Currency: c.Currency, Lookback: time.Duration(c.Lookback) * time.Millisecond, MaxTouches: c.MaxTouches, Bots: botsName(c.CountBots), ready: r,
	}, nil
}
