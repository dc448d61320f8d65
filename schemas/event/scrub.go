package event

import (
	"encoding/json"
	"regexp"
	"strings"
)

// What stands in place of a contact.
const (
	emailMark = "[email]"
	phoneMark = "[phone]"
)

var (
	// emailForm finds e-mail addresses in any text, those that a query string has escaped too.
	emailForm = regexp.MustCompile(`[A-Za-z0-9._%+\-]+(?:@|%40)[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}`)
	// phoneLike finds what may be a phone number as people write it; it is one only if it is known to be the client's.
	phoneLike = regexp.MustCompile(`\+?\(?\d[\d ().\-]{5,}\d`)
)

// scrubber takes contacts out of text: every e-mail address, and the phone numbers that the event gives as identities,
// in whatever spelling. Numbers that nobody said to be phones are left: they are order ids as often.
type scrubber struct {
	phones map[string]bool // the last digits of each
	exact  []string        // other contacts, as sent
}

// significant is how many last digits tell a number: national and international spellings share them.
const significant = 9

func newScrubber(contacts []string) *scrubber {
	s := &scrubber{phones: map[string]bool{}}
	for _, c := range contacts {
		if tail, ok := phoneTail(c); ok {
			s.phones[tail] = true
		} else if c = strings.TrimSpace(c); len(c) >= 5 && !emailForm.MatchString(c) {
			s.exact = append(s.exact, c)
		}
	}
	return s
}

// phoneTail is the last digits of a text that has enough of them.
func phoneTail(s string) (string, bool) {
	var d []byte
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' {
			d = append(d, c)
		}
	}
	if len(d) < 7 {
		return "", false
	}
	return string(d[max(0, len(d)-significant):]), true
}

func (s *scrubber) text(v string) string {
	if strings.Contains(v, "@") || strings.Contains(v, "%40") {
		v = emailForm.ReplaceAllString(v, emailMark)
	}
	for _, c := range s.exact {
		v = strings.ReplaceAll(v, c, phoneMark)
	}
	if len(s.phones) > 0 {
		v = phoneLike.ReplaceAllStringFunc(v, func(m string) string {
			if tail, ok := phoneTail(m); ok && s.phones[tail] {
				return phoneMark
			}
			return m
		})
	}
	return v
}

// json scrubs every string and every number of a valid document and leaves all else as it is, byte for byte: order of
// keys, white space, numbers beyond 2^53.
func (s *scrubber) json(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		end := i + 1
		switch c := raw[i]; {
		case c == '"':
			end = stringEnd(raw, i)
			out = append(out, s.literal(raw[i:end])...)
		case c == '-' || c >= '0' && c <= '9':
			for end < len(raw) && strings.IndexByte("0123456789+-.eE", raw[end]) >= 0 {
				end++
			}
			out = append(out, s.number(raw[i:end])...)
		default:
			out = append(out, c)
		}
		i = end
	}
	return out
}

// stringEnd is the index after the closing quote of the string that begins at i.
func stringEnd(raw []byte, i int) int {
	for i++; raw[i] != '"'; i++ {
		if raw[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func (s *scrubber) literal(quoted []byte) []byte {
	var v string
	if json.Unmarshal(quoted, &v) != nil {
		return quoted
	}
	clean := s.text(v)
	if clean == v {
		return quoted
	}
	b, err := json.Marshal(clean)
	if err != nil {
		return []byte(`""`)
	}
	return b
}

func (s *scrubber) number(n []byte) []byte {
	if tail, ok := phoneTail(string(n)); ok && s.phones[tail] {
		return []byte(`"` + phoneMark + `"`)
	}
	return n
}

// scrub takes contacts out of everything that is written down, unless the workspace stores them.
func (p *parser) scrub(raw []byte) {
	e := &p.e
	if p.rules.StoreContacts {
		e.Raw = raw
		return
	}
	s := newScrubber(p.contacts)
	e.Raw = s.json(raw)
	clean := func(vs ...*string) {
		for _, v := range vs {
			if v != nil {
				*v = s.text(*v)
			}
		}
	}
	utm := func(u *UTM) { clean(&u.Source, &u.Medium, &u.Campaign, &u.Content, &u.Term) }
	switch e.Type {
	case Visit:
		clean(&e.Visit.URL, &e.Visit.Referrer, &e.Visit.Title)
		utm(&e.Visit.Origin.UTM)
	case Call:
		clean(&e.Call.Recording, &e.Call.Manager)
		utm(&e.Call.UTM)
	case Message:
		clean(&e.Message.Manager, &e.Message.Ref)
		utm(&e.Message.UTM)
	case Form:
		clean(&e.Form.URL, &e.Form.FormID)
	case Deal:
		clean(e.Deal.Title, e.Deal.Reason, e.Deal.Manager)
	case Spend:
		utm(&e.Spend.UTM)
	case Identify, NumberLease:
	}
}
