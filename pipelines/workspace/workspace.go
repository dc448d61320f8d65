// Package workspace is the configuration of one workspace (SPEC §9): its zone, money, keys, numbers and rules.
//
// It promises that a workspace that Validate took without a fault answers every question below without an error, and that
// two processes with the same configuration give the same answers: nothing here depends on the clock or the machine
// (the time zones are compiled in). It keeps nothing and writes nothing.
package workspace

import (
	"time"

	"github.com/throughline-io/throughline/pipelines"
)

// Workspace is one tenant. The YAML keys are the contract's. The methods answer after Validate has been called.
type Workspace struct {
	// Name is in every row and becomes part of the BI user's name: [a-z0-9][a-z0-9_-]*, at most 63 characters.
	Name string `yaml:"name"`
	// Timezone is the IANA zone that dates are in. Required.
	Timezone string `yaml:"timezone"`
	// Currency is what amounts are converted to, three letters. Required.
	Currency string `yaml:"currency"`
	// Country is the region of phone numbers without a country code (ISO 3166-1 alpha-2). Required.
	Country string `yaml:"country"`
	// Lookback is how long before a conversion a touch counts; 2160h (90 days) if left out.
	Lookback time.Duration `yaml:"lookback"`
	// MaxTouches is how many touches one conversion may be shared by; 1000 if left out.
	MaxTouches int `yaml:"max_touches"`
	// Pepper keys the hash of identities. Required; a changed one makes every client a stranger.
	Pepper string `yaml:"pepper"`
	// StoreContacts leaves phones and e-mails readable in the raw events.
	StoreContacts bool `yaml:"store_contacts"`
	// BIPassword, if set, makes a BI user bi_<name> for this workspace alone.
	BIPassword string `yaml:"bi_password"`
	// FX holds what one unit of another currency is in Currency. An amount in any other is refused at the door.
	FX map[string]Rate `yaml:"fx"`
	// Keys let senders in.
	Keys []Key `yaml:"keys"`
	// StaticNumbers are the company's numbers that stand for one source each.
	StaticNumbers map[string]UTM `yaml:"static_numbers"`
	// Pools are the company's numbers that are shown to visitors in turn.
	Pools []Pool `yaml:"pools"`
	// ExcludeIdentities are "kind:value" that many people share and that join nobody: the shop's own phone.
	ExcludeIdentities []string `yaml:"exclude_identities"`
	// Churn is after how long without a sale a customer counts as lost; 4320h (180 days) if left out.
	Churn time.Duration `yaml:"churn"`
	// Bots says what becomes of the visits of browsers that say they are bots: leave_out, if left out, or count.
	Bots string `yaml:"bots"`
	// Channels are rules that come before those of pipelines/channels.yaml.
	Channels []ChannelRule `yaml:"channels"`
	// Pipelines give the stages of a funnel their order.
	Pipelines []Pipeline `yaml:"pipelines"`
	// Sources are the vendors that send to this workspace, or that it asks.
	Sources []Source `yaml:"sources"`

	ready *ready
}

// ChannelRule is described in pipelines/channels.yaml.
type ChannelRule = pipelines.ChannelRule

// Rate is a decimal string: how much one unit of the foreign currency is in the workspace's.
type Rate string

// Key lets somebody in. A secret key may send every type of event, a public one is for browsers, a report key reads reports and
// sends nothing. Just one of the three is set.
type Key struct {
	Name   string `yaml:"name"`
	Secret string `yaml:"secret"`
	Public string `yaml:"public"`
	Report string `yaml:"report"`
	// Origins are the web origins (https://shop.example) that browsers may send from with a public key.
	Origins []string `yaml:"origins"`
}

// UTM is the tuple of a static number.
type UTM struct {
	Source   string `yaml:"source"`
	Medium   string `yaml:"medium"`
	Campaign string `yaml:"campaign"`
	Content  string `yaml:"content"`
	Term     string `yaml:"term"`
}

// Pool is a set of numbers that are shown to visitors in turn.
type Pool struct {
	Name    string   `yaml:"name"`
	Numbers []string `yaml:"numbers"`
	// Hold is how long a number stays with a visitor who was last seen; 30m if left out.
	Hold time.Duration `yaml:"hold"`
	// Fallback is shown when every number is taken.
	Fallback string `yaml:"fallback"`
}

// Pipeline lists the stages of a sales pipeline in order.
type Pipeline struct {
	Name   string   `yaml:"name"`
	Stages []string `yaml:"stages"`
}
