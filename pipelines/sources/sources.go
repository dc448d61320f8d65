// Package sources makes vendors data: a folder with a source.yaml, jq programs and samples says who may send, how what they send is
// read, which canonical events it means and what the vendor is answered, or asked. README.md says how a new one is written.
//
// It promises that a set of sources that was loaded without a fault can be used: every program compiles, every setting that a check
// or a program needs was given. All faults are told at once, each with file and line. A mapping is a function of what was sent and of
// the definition, whose version goes with everything that is kept. There is no server, no Kafka and no clock here; who calls brings
// the bytes and the time.
package sources

import (
	"github.com/throughline-io/throughline/pipelines/sources/checks"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// Definition is source.yaml.
type Definition struct {
	// Name is the folder's: [a-z0-9_-]{1,32}. It stands in the address of webhooks.
	Name string `yaml:"name"`
	// Title is the vendor's name as people write it.
	Title string `yaml:"title"`
	// About says in a few sentences what comes from it and what is joined by what.
	About string `yaml:"about"`
	// Docs is the page where the vendor describes what is read here.
	Docs string `yaml:"docs"`
	// Definitions is a .jq file of functions that all programs of the source share.
	Definitions string `yaml:"definitions"`
	// Settings and Tables are what a workspace gives.
	Settings map[string]Setting `yaml:"settings"`
	Tables   map[string]Table   `yaml:"tables"`
	// Entries are the ways in.
	Entries []Entry `yaml:"entries"`
}

// Setting is a value that a workspace gives: jq sees $settings.<name>.
type Setting struct {
	About string `yaml:"about"`
	// Required: there is no default that would do.
	Required bool `yaml:"required"`
	// Secret is never printed.
	Secret bool `yaml:"secret"`
	// Default is what stands where the workspace says nothing; its kind is the setting's. Text, if left out.
	Default any `yaml:"default"`
	// Example is for samples, and for people.
	Example any `yaml:"example"`
}

// Table is a lookup table that a workspace gives, key → a text or an object: jq sees lookup("<name>"; key).
type Table struct {
	About    string `yaml:"about"`
	Required bool   `yaml:"required"`
	// Default stands where the workspace gives none; a workspace's own replaces it as a whole.
	Default map[string]any `yaml:"default"`
	// Example is for samples, and for people.
	Example map[string]any `yaml:"example"`
}

// Kinds of entries.
const (
	Webhook = "webhook" // the vendor sends to POST /v1/sources/<name>/<key>
	File    = "file"    // somebody has a file: throughline import
	Pulled  = "pull"    // we ask the vendor: throughline puller
)

// Entry is one way in.
type Entry struct {
	// Name of the entry among those of the source. A webhook may name it in its address: /v1/sources/<name>/<key>/<entry>.
	Name string `yaml:"name"`
	// Kind is webhook, file or pull.
	Kind  string `yaml:"kind"`
	About string `yaml:"about"`
	// Makes are the types of events that come of it; another is a fault of the mapping.
	Makes []string `yaml:"makes"`

	// Match says which requests are this entry's, where a source has several webhooks under one address: the first that matches takes
	// it. Every request, if left out.
	Match *Match `yaml:"match"`
	// Checks say who may send; all must hold. Unchecked says, in a word, why there is none.
	Checks    []checks.Check `yaml:"checks"`
	Unchecked string         `yaml:"unchecked"`
	// Answer is what the vendor is told.
	Answer Answer `yaml:"answer"`

	// Read says how a body, a file or a response becomes items.
	Read items.Format `yaml:"read"`
	// Map is the jq program from an item to events: the program itself, or the name of a .jq file in the folder.
	Map string `yaml:"map"`

	// Fetch is what must be asked back before Map can be run: for hooks that hold only an id. Map then sees $responses.
	Fetch *Fetch `yaml:"fetch"`
	// Pull is how a vendor that sends nothing is asked.
	Pull *Pull `yaml:"pull"`

	// Program is Map, compiled.
	Program *mapping.Program `yaml:"-"`
	// NeedsRequest: the mapping looks at $request, which need not be made otherwise.
	NeedsRequest bool `yaml:"-"`
}

// Match tells requests apart. Everything that is given must hold.
type Match struct {
	Method string `yaml:"method"`
	// ContentType is a media type, without parameters.
	ContentType string `yaml:"content_type"`
	// Values are places (header:X-Topic, query:type, json:event, form:event) → a text, or a pattern with * at its end.
	Values map[string]string `yaml:"values"`
}
