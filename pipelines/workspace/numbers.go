package workspace

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/throughline-io/throughline/schemas/event"
)

// phone is E.164 of a number as people write it in the workspace's country.
func (w *Workspace) phone(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if !isCountry(w.Country) && !strings.HasPrefix(s, "+") {
		return s, true // the country's own fault is reported; without one nothing can be said of the number
	}
	return event.Phone(s, w.Country)
}

func (w *Workspace) checkStatic(f *faults, r *ready) {
	normal := make(map[string]UTM, len(w.StaticNumbers))
	for _, number := range slices.Sorted(maps.Keys(w.StaticNumbers)) { // sorted, so that faults come in one order
		path := "static_numbers." + number
		e164, ok := w.phone(number)
		if !ok {
			f.add(path, "%q is no phone number", number)
			continue
		}
		if _, twice := normal[e164]; twice {
			f.add(path, "%q stands twice as %s", number, e164)
		}
		u := w.StaticNumbers[number]
		utm := event.UTM(u).Normal()
		if utm.Empty() {
			f.add(path, "%q has no utm value, so its calls would be touches from nowhere", number)
		}
		normal[e164], r.static[e164] = u, utm
	}
	w.StaticNumbers = normal
}

func (w *Workspace) checkPools(f *faults, r *ready) {
	names := map[string]bool{}
	for i := range w.Pools {
		p := &w.Pools[i]
		path := fmt.Sprintf("pools[%d]", i)
		if p.Name == "" || names[p.Name] {
			f.add(path+".name", "%q is empty or stands twice", p.Name)
		}
		names[p.Name] = true
		if p.Hold == 0 {
			p.Hold = DefaultHold
		}
		if p.Hold < 0 || p.Hold > MaxHold {
			f.add(path+".hold", "%q is not between 0 and %s", p.Hold, MaxHold)
		}
		if len(p.Numbers) == 0 {
			f.add(path+".numbers", "pool %q has none", p.Name)
		}
		for j, number := range p.Numbers {
			at := fmt.Sprintf("%s.numbers[%d]", path, j)
			e164, ok := w.phone(number)
			_, static := r.static[e164]
			switch {
			case !ok:
				f.add(at, "%q is no phone number", number)
				continue
			case r.pool[e164]:
				f.add(at, "%q stands twice", number)
			case static:
				f.add(at, "%q is a static number too: a call to it would be two things", number)
			}
			p.Numbers[j], r.pool[e164] = e164, true
		}
		if p.Fallback != "" {
			e164, ok := w.phone(p.Fallback)
			if !ok {
				f.add(path+".fallback", "%q is no phone number", p.Fallback)
			}
			p.Fallback = e164
		}
	}
}

// checkExclude brings each "kind:value" to the form that events' identities are compared in, by their own rules.
func (w *Workspace) checkExclude(f *faults) map[string]bool {
	rules := event.Rules{Country: w.Country}
	out := make(map[string]bool, len(w.ExcludeIdentities))
	for i, s := range w.ExcludeIdentities {
		path := fmt.Sprintf("exclude_identities[%d]", i)
		kind, value, ok := strings.Cut(strings.TrimSpace(s), ":")
		if !ok || !kindForm.MatchString(kind) || strings.TrimSpace(value) == "" {
			f.add(path, "%q is not kind:value", s)
			continue
		}
		if !isCountry(w.Country) && (kind == "phone" || kind == "whatsapp") {
			continue // the country's own fault is reported
		}
		kind, value, reason := rules.Identity(kind, value)
		if reason != "" {
			f.add(path, "%q would join nobody anyway: %s", s, reason)
			continue
		}
		w.ExcludeIdentities[i] = kind + ":" + value
		out[kind+":"+value] = true
	}
	return out
}
