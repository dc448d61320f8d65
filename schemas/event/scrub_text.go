package event

import (
	"regexp"
	"strings"
)

// What stands in place of a contact.
const (
	emailMark = "[email]"
	phoneMark = "[phone]"
)

var (
	// emailForm finds e-mail addresses in any text, escaped as in a query string (even twice) or not.
	emailForm = regexp.MustCompile(`[\p{L}\p{M}\p{N}._%+'\-]+(?:@|%(?:25)*40)(?:[\p{L}\p{M}\p{N}\-]+\.)+\p{L}[\p{L}\p{M}\p{N}\-]*[\p{L}\p{N}]`)
	// abroad finds what nobody writes but a phone number: a plus and 8 or more digits.
	abroad = regexp.MustCompile(`(?:\+|%2[Bb])\d(?:(?:[ ().\-]|%20){0,3}\d){7,14}`)
)

// Telephone numbers as the scrubber knows them.
const (
	// significantDigits at the end tell a number: national and international spellings share them.
	significantDigits = 9
	// minDigits is the shortest number that is looked for in texts; a shorter one would be found in every second id.
	minDigits = 5
	// abroadMin is how many digits abroad asks for.
	abroadMin = 8
	// maxSeparators is how many characters may stand between two digits of one number.
	maxSeparators = 3
)

// known is a number that the event says is the client's.
type known struct {
	full string // all digits, with the country's
	tail string // the last significant ones
}

// scrubber takes contacts out of text: every e-mail address, every number with a plus, and the numbers that the event gives
// as the client's in whatever spelling. Other digits stay: they are order ids as often.
type scrubber struct {
	client Direction // of a call: which side is the client's; 0 if the event is none
	phones []known
	exact  []string // contacts in no known form, as sent
	run    run      // of the text at hand
}

func (s *scrubber) addPhone(v, region string) {
	n := readNumber(v, region)
	if n.full == "" {
		n.full = onlyDigits(v)
		n.national = n.full
	}
	if len(n.national) >= minDigits {
		s.phones = append(s.phones, known{n.full, n.national[max(0, len(n.national)-significantDigits):]})
	}
}

func (s *scrubber) addEmail(v string) {
	if v = strings.TrimSpace(v); strings.Contains(v, "@") && emailForm.FindString(v) != v {
		s.exact = append(s.exact, v)
	}
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// suspect reports that there may be a contact in v: a look that costs little, since hardly any text has one.
func suspect[T string | []byte](s *scrubber, v T) bool {
	if len(s.exact) > 0 {
		return true
	}
	digits := 0
	for i := range len(v) {
		switch c := v[i]; {
		case c == '@' || c == '%' || c == '+':
			return true
		case isDigit(c):
			digits++
		}
	}
	return digits >= minDigits && len(s.phones) > 0
}

// text is v without contacts.
func (s *scrubber) text(v string) string {
	if !suspect(s, v) {
		return v
	}
	for _, e := range s.exact {
		v = strings.ReplaceAll(v, e, emailMark)
	}
	if strings.Contains(v, "@") || strings.Contains(v, "%") && strings.Contains(v, "40") {
		v = emailForm.ReplaceAllString(v, emailMark)
	}
	if len(s.phones) > 0 {
		v = s.withoutKnown(v)
	}
	if abroadDigits(v) {
		v = withoutAbroad(v)
	}
	return v
}

// abroadDigits reports that enough digits follow a plus: the offset of a time has too few, and is what most pluses are of.
func abroadDigits(v string) bool {
	i := strings.IndexByte(v, '+')
	if e := strings.Index(v, "%2"); e >= 0 && (i < 0 || e < i) {
		i = e + len("%2B")
	}
	if i < 0 {
		return false
	}
	digits := 0
	for ; i < len(v); i++ {
		if isDigit(v[i]) {
			digits++
		}
	}
	return digits >= abroadMin
}

func withoutAbroad(v string) string {
	var out []byte
	from := 0
	for _, m := range abroad.FindAllStringIndex(v, -1) {
		if m[0] > 0 && isWord(v[m[0]-1]) {
			continue // in the middle of an encoded blob
		}
		out = append(append(out, v[from:m[0]]...), phoneMark...)
		from = m[1]
	}
	return string(append(out, v[from:]...))
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
