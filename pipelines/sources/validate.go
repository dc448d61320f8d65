package sources

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/throughline-io/throughline/pipelines/sources/checks"
	"github.com/throughline-io/throughline/schemas/event"
)

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
	settingForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// validate reports every fault of a definition, but those of its programs.
func (s *Source) validate() {
	fault := faultFunc(s.doc.fault)
	if !nameForm.MatchString(s.Name) {
		fault("name", "%q does not match %s", s.Name, nameForm)
	}
	if s.Title == "" {
		fault("title", "is empty")
	}
	if len(s.Settings)+len(s.Tables) > MaxSettings {
		fault("settings", "and tables are more than %d", MaxSettings)
	}
	declared := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		declared[name] = true
		s.Settings[name].validate(name, fault.under("settings."+name))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tables)) {
		t := s.Tables[name]
		if !settingForm.MatchString(name) {
			fault("tables."+name, "%q does not match %s", name, settingForm)
		}
		if t.About == "" {
			fault("tables."+name+".about", "is empty: say what stands in the table")
		}
		if t.Required && len(t.Default) > 0 {
			fault("tables."+name+".required", "has a default, and so is not required")
		}
	}
	if len(s.Entries) == 0 || len(s.Entries) > MaxEntries {
		fault("entries", "are %d; 1 to %d are allowed", len(s.Entries), MaxEntries)
	}
	names := map[string]bool{}
	for i := range s.Entries {
		e := &s.Entries[i]
		at := fault.under(fmt.Sprintf("entries[%d]", i))
		if !nameForm.MatchString(e.Name) || names[e.Name] {
			at("name", "%q does not match %s, or stands twice", e.Name, nameForm)
		}
		names[e.Name] = true
		e.validate(declared, at)
	}
}

func (s Setting) validate(name string, fault faultFunc) {
	if !settingForm.MatchString(name) {
		fault("", "%q does not match %s", name, settingForm)
	}
	if s.About == "" {
		fault("about", "is empty: say where the value is found")
	}
	if s.Required && s.Default != nil {
		fault("required", "has a default, and so is not required")
	}
	if s.Required && s.Example == nil {
		fault("example", "is empty: samples need a value")
	}
}

func (e *Entry) validate(declared map[string]bool, fault faultFunc) {
	if len(e.Makes) == 0 {
		fault("makes", "is empty: say which types of events come of it")
	}
	for i, t := range e.Makes {
		if !isType(t) {
			fault(fmt.Sprintf("makes[%d]", i), "%q is no type of event", t)
		}
	}
	if strings.TrimSpace(e.Map) == "" {
		fault("map", "is empty: it is a jq program, or the name of a .jq file")
	}
	e.Read.Validate(fault.under("read"))
	switch e.Kind {
	case Webhook:
		e.validateWebhook(declared, fault)
	case File, Pulled:
		if e.Match != nil || len(e.Checks) > 0 || e.Unchecked != "" || e.Fetch != nil {
			fault("", "match, checks, unchecked and fetch are for webhooks")
		}
		if e.Read.Format == "query" || e.Read.Format == "form" || e.Read.Format == "multipart" {
			fault("read.format", "%q is for webhooks", e.Read.Format)
		}
	default:
		fault("kind", "%q is none of webhook, file and pull", e.Kind)
	}
	switch {
	case e.Kind == Pulled && e.Pull == nil:
		fault("pull", "is needed")
	case e.Kind != Pulled && e.Pull != nil:
		fault("pull", "is for the kind pull")
	case e.Pull != nil:
		e.Pull.validate(declared, fault.under("pull"))
	}
}

func (e *Entry) validateWebhook(declared map[string]bool, fault faultFunc) {
	checks.Validate(e.Checks, declared, fault)
	switch {
	case len(e.Checks) == 0 && e.Unchecked == "":
		fault("checks", "are none: say why in `unchecked`, which is printed at every start")
	case len(e.Checks) > 0 && e.Unchecked != "":
		fault("unchecked", "is set, and there are checks")
	}
	if e.Match != nil {
		e.Match.validate(fault.under("match"))
	}
	e.Answer.validate(declared, fault.under("answer"))
	if e.Fetch != nil {
		e.Fetch.validate(declared, fault.under("fetch"))
	}
}

func isType(name string) bool {
	for t := event.Visit; t <= event.NumberLease; t++ {
		if t.String() == name {
			return true
		}
	}
	return false
}

// programPath is where a program's text stands: in a file of its own, or in the definition.
func (s *Source) programPath(name string) string { return path.Join(path.Dir(s.file), name) }
