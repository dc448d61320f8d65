package workspace

import (
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // dates must not depend on what zones a machine happens to have

	"github.com/nyaruka/phonenumbers"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
)

// Defaults and limits.
const (
	DefaultLookback   = 90 * 24 * time.Hour
	DefaultMaxTouches = 1_000
	DefaultHold       = 30 * time.Minute
	DefaultChurn      = 180 * 24 * time.Hour

	// What becomes of the visits of bots.
	BotsLeaveOut = "leave_out"
	BotsCount    = "count"

	// MaxLookback is as long as anybody kept a web log.
	MaxLookback = 10 * 365 * 24 * time.Hour
	// MaxMaxTouches bounds what one conversion costs: seven models share it by as many credits.
	MaxMaxTouches = 100_000
	// MaxHold is longer than any visit.
	MaxHold = 7 * 24 * time.Hour
)

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
	kindForm     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	tokenForm    = regexp.MustCompile(`^[!-~]{1,256}$`)
)

// ready is what the methods answer from: the configuration read once.
type ready struct {
	location   *time.Location
	rates      map[string]*big.Rat
	static     map[string]event.UTM
	pool       map[string]bool
	exclude    map[string]bool
	classifier *pipelines.Classifier
	facts      int
}

// faults collects what is wrong with a workspace, each with the path of its field.
type faults struct{ all []error }

func (f *faults) add(path, format string, args ...any) {
	f.all = append(f.all, fmt.Errorf("%s: "+format, append([]any{path}, args...)...))
}

// Validate checks a configuration's workspaces, each and against each other, and makes them ready for use: defaults are
// filled in and phone numbers, currencies and identities brought to their normal form. Every fault is reported, with the
// path of its field and its value; passwords, peppers and keys are never printed.
func Validate(list []Workspace) error {
	var all []error
	names, tokens := map[string]int{}, map[string]string{}
	for i := range list {
		w := &list[i]
		path := fmt.Sprintf("workspaces[%d]", i)
		for _, err := range pipelines.Faults(w.Validate()) {
			all = append(all, fmt.Errorf("%s.%w", path, err))
		}
		if first, ok := names[w.Name]; ok && w.Name != "" {
			all = append(all, fmt.Errorf("%s.name: %q is the name of workspaces[%d] too", path, w.Name, first))
		} else {
			names[w.Name] = i
		}
		for j, k := range w.Keys {
			for _, field := range []struct{ name, token string }{{"secret", k.Secret}, {"public", k.Public}, {"report", k.Report}} {
				at := fmt.Sprintf("%s.keys[%d].%s", path, j, field.name)
				if first, ok := tokens[field.token]; ok && field.token != "" {
					all = append(all, fmt.Errorf("%s: key %q is the same as %s", at, k.Name, first))
				} else {
					tokens[field.token] = at
				}
			}
		}
		for j, s := range w.Sources {
			at := fmt.Sprintf("%s.sources[%d].key", path, j)
			if first, ok := tokens[s.Key]; ok && s.Key != "" {
				all = append(all, fmt.Errorf("%s: of %q is the same as %s", at, s.Name, first))
			} else {
				tokens[s.Key] = at
			}
		}
	}
	return errors.Join(all...)
}

// Validate does the same for one workspace; paths begin at its fields.
func (w *Workspace) Validate() error {
	f := &faults{}
	r := &ready{static: map[string]event.UTM{}, pool: map[string]bool{}, facts: facts}
	w.Currency, w.Country = strings.ToUpper(strings.TrimSpace(w.Currency)), strings.ToUpper(strings.TrimSpace(w.Country))
	if !nameForm.MatchString(w.Name) {
		f.add("name", "%q does not match %s", w.Name, nameForm)
	}
	if w.Pepper == "" {
		f.add("pepper", "is empty: it keys the hash of identities and must never change")
	}
	r.location = w.checkTimezone(f)
	w.checkCountry(f)
	w.checkLimits(f)
	r.rates = w.checkMoney(f)
	w.checkKeys(f)
	w.checkStatic(f, r)
	w.checkPools(f, r)
	r.exclude = w.checkExclude(f)
	if w.Churn == 0 {
		w.Churn = DefaultChurn
	}
	if w.Churn < 24*time.Hour {
		f.add("churn", "%q is less than a day", w.Churn)
	}
	switch w.Bots {
	case "":
		w.Bots = BotsLeaveOut
	case BotsLeaveOut, BotsCount:
	default:
		f.add("bots", "%q is neither %s nor %s", w.Bots, BotsLeaveOut, BotsCount)
	}
	w.checkPipelines(f)
	w.checkSources(f)
	classifier, err := pipelines.NewClassifier(w.Channels)
	f.all = append(f.all, pipelines.Faults(err)...)
	r.classifier = classifier
	if len(f.all) > 0 {
		return errors.Join(f.all...)
	}
	w.ready = r
	return nil
}

func (w *Workspace) checkTimezone(f *faults) *time.Location {
	if w.Timezone == "" || w.Timezone == "Local" {
		f.add("timezone", "%q is no zone: write an IANA name such as Europe/Warsaw", w.Timezone)
		return nil
	}
	l, err := time.LoadLocation(w.Timezone)
	if err != nil {
		f.add("timezone", "%q is unknown: write an IANA name such as Europe/Warsaw", w.Timezone)
	}
	return l
}

func (w *Workspace) checkCountry(f *faults) {
	if !isCountry(w.Country) {
		f.add("country", "%q is no country (ISO 3166-1 alpha-2, such as PL)", w.Country)
	}
}

func isCountry(s string) bool { return phonenumbers.GetSupportedRegions()[s] }

func (w *Workspace) checkLimits(f *faults) {
	if w.Lookback == 0 {
		w.Lookback = DefaultLookback
	}
	if w.Lookback < time.Millisecond || w.Lookback > MaxLookback {
		f.add("lookback", "%q is not between 1ms and %s", w.Lookback, MaxLookback)
	}
	if w.MaxTouches == 0 {
		w.MaxTouches = DefaultMaxTouches
	}
	if w.MaxTouches < 1 || w.MaxTouches > MaxMaxTouches {
		f.add("max_touches", "%d is not between 1 and %d", w.MaxTouches, MaxMaxTouches)
	}
}

func (w *Workspace) checkKeys(f *faults) {
	names := map[string]bool{}
	for i, k := range w.Keys {
		path := fmt.Sprintf("keys[%d]", i)
		if k.Name == "" {
			f.add(path+".name", `"" is empty`)
		} else if names[k.Name] {
			f.add(path+".name", "%q stands twice", k.Name)
		}
		names[k.Name] = true
		if set := slices.DeleteFunc([]string{k.Secret, k.Public, k.Report}, func(s string) bool { return s == "" }); len(set) != 1 {
			f.add(path, "key %q needs just one of secret, public and report", k.Name)
		}
		if token := k.Secret + k.Public + k.Report; token != "" && !tokenForm.MatchString(token) {
			f.add(path, "key %q must be 1 to 256 visible ASCII characters", k.Name)
		}
		for j, o := range k.Origins {
			u, err := url.Parse(o)
			if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.Scheme+"://"+u.Host != o {
				f.add(fmt.Sprintf("%s.origins[%d]", path, j), "%q is no origin such as https://shop.example", o)
			}
		}
	}
}

func (w *Workspace) checkPipelines(f *faults) {
	names := map[string]bool{}
	for i, p := range w.Pipelines {
		path := fmt.Sprintf("pipelines[%d]", i)
		if p.Name == "" || names[p.Name] {
			f.add(path+".name", "%q is empty or stands twice", p.Name)
		}
		names[p.Name] = true
		for j, s := range p.Stages {
			if s == "" || slices.Index(p.Stages, s) != j {
				f.add(fmt.Sprintf("%s.stages[%d]", path, j), "%q is empty or stands twice", s)
			}
		}
	}
}
