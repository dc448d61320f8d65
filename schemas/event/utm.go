package event

import "strings"

// Normal is the tuple as SPEC §4 compares it: trimmed and lower-cased. An absent value stays empty; whoever prints
// it writes "(none)".
func (u UTM) Normal() UTM {
	n := func(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
	return UTM{n(u.Source), n(u.Medium), n(u.Campaign), n(u.Content), n(u.Term)}
}

// Said is a normal tuple without the values that were given as "(none)": they are printed like those that were not given, and
// two tuples are one where all of their values are printed alike.
func (u UTM) Said() UTM {
	n := func(s string) string {
		if s == "(none)" {
			return ""
		}
		return s
	}
	return UTM{n(u.Source), n(u.Medium), n(u.Campaign), n(u.Content), n(u.Term)}
}
