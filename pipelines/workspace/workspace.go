// Package workspace is the configuration of one workspace (SPEC §9): its zone, money, keys, numbers and rules.
package workspace

import (
	"time"
)

// Workspace is one tenant. The YAML keys are the contract's.
type Workspace struct {
	Name              string          `yaml:"name"`
	Timezone          string          `yaml:"timezone"`
	Currency          string          `yaml:"currency"`
	Country           string          `yaml:"country"`
	Lookback          time.Duration   `yaml:"lookback"`
	MaxTouches        int             `yaml:"max_touches"`
	Pepper            string          `yaml:"pepper"`
	StoreContacts     bool            `yaml:"store_contacts"`
	BIPassword        string          `yaml:"bi_password"`
	FX                map[string]Rate `yaml:"fx"`
	Keys              []Key           `yaml:"keys"`
	StaticNumbers     map[string]UTM  `yaml:"static_numbers"`
	Pools             []Pool          `yaml:"pools"`
	ExcludeIdentities []string        `yaml:"exclude_identities"`
	Channels          []ChannelRule   `yaml:"channels"`
	Pipelines         []Pipeline      `yaml:"pipelines"`
}

// Rate is a decimal string: how much one unit of the foreign currency is in the workspace's.
type Rate string

// Key lets a sender in. A secret key may send every type; a public one is for browsers.
type Key struct {
	Name    string   `yaml:"name"`
	Secret  string   `yaml:"secret"`
	Public  string   `yaml:"public"`
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
	Name     string        `yaml:"name"`
	Numbers  []string      `yaml:"numbers"`
	Hold     time.Duration `yaml:"hold"`
	Fallback string        `yaml:"fallback"`
}

// Pipeline lists the stages of a sales pipeline in order.
type Pipeline struct {
	Name   string   `yaml:"name"`
	Stages []string `yaml:"stages"`
}
