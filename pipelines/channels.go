package pipelines

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// Unassigned is the channel of what no rule matches.
const Unassigned = "Unassigned"

//go:embed channels.yaml
var channelsYAML []byte

// defaults is channels.yaml, read once.
type defaults struct {
	Channels []ChannelRule `yaml:"channels" json:"channels"`
	Sites    []Site        `yaml:"sites" json:"sites"`
	rules    []compiledRule
	sites    *siteIndex
}

// loadDefaults reads the file that is compiled in: a fault in it is a fault of the program, found by its first test.
var loadDefaults = sync.OnceValue(func() *defaults {
	d, err := parseDefaults(channelsYAML)
	if err != nil {
		panic(fmt.Sprintf("channels.yaml: %v", err))
	}
	return d
})

func parseDefaults(text []byte) (*defaults, error) {
	d := &defaults{}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(d); err != nil {
		return nil, err
	}
	var errRules, errSites error
	d.sites, errSites = indexSites(d.Sites)
	d.rules, errRules = compileRules(d.Channels, d.sites)
	return d, errors.Join(errRules, errSites)
}

// DefaultChannels is a canonical form of the default rules and lists: facts depend on them, so whoever keeps facts
// compares it. A comment does not change it.
func DefaultChannels() []byte {
	b, err := json.Marshal(loadDefaults())
	if err != nil {
		panic(fmt.Sprintf("channels.yaml: %v", err)) // strings and lists only: it cannot fail
	}
	return b
}

// Classifier says where a touch came from. It is safe for concurrent use.
type Classifier struct {
	rules    []compiledRule
	sites    *siteIndex
	channels channelCache
}

// NewClassifier puts a workspace's own rules before the default ones. Every fault of every rule is reported.
func NewClassifier(own []ChannelRule) (*Classifier, error) {
	d := loadDefaults()
	rules, err := compileRules(own, d.sites)
	if err != nil {
		return nil, err
	}
	return &Classifier{rules: append(rules, d.rules...), sites: d.sites}, nil
}

// NewClassifierOf is a classifier of former defaults, as DefaultChannels gave them, and a workspace's own rules of that
// time.
func NewClassifierOf(former []byte, own []ChannelRule) (*Classifier, error) {
	d := &defaults{}
	if err := json.Unmarshal(former, d); err != nil {
		return nil, err
	}
	var errRules, errSites error
	d.sites, errSites = indexSites(d.Sites)
	d.rules, errRules = compileRules(d.Channels, d.sites)
	rules, errOwn := compileRules(own, d.sites)
	if err := errors.Join(errSites, errRules, errOwn); err != nil {
		return nil, err
	}
	return &Classifier{rules: append(rules, d.rules...), sites: d.sites}, nil
}

// Classify resolves an origin: its utm values, else its click id, else its referrer, else (direct).
func (c *Classifier) Classify(o event.Origin) fact.Tuple {
	return c.tuple(c.resolve(o))
}

// Tuple puts a utm tuple into its channel as it is, even an empty one: that of a spend report or a static number.
func (c *Classifier) Tuple(u event.UTM) fact.Tuple {
	return c.tuple(u.Normal())
}

func (c *Classifier) tuple(u event.UTM) fact.Tuple {
	u = event.UTM{
		Source: orNone(u.Source), Medium: orNone(u.Medium), Campaign: orNone(u.Campaign),
		Content: orNone(u.Content), Term: orNone(u.Term),
	}
	return fact.Tuple{
		Channel: c.channel(u), Source: u.Source, Medium: u.Medium, Campaign: u.Campaign, Content: u.Content, Term: u.Term,
	}
}

func (c *Classifier) channel(u event.UTM) string {
	if name, ok := c.channels.get(u); ok {
		return name
	}
	name := Unassigned
	for i := range c.rules {
		if c.rules[i].matches(&u) {
			name = c.rules[i].name
			break
		}
	}
	c.channels.put(u, name)
	return name
}

func orNone(s string) string {
	if s == "" {
		return fact.None
	}
	return s
}
