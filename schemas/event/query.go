package event

import "strings"

// query is the query of a URL as browsers read it: what cannot be decoded stays as it is. net/url drops a whole pair for one
// stray percent sign ("utm_campaign=50%off"), and a sender's page may have any query.
type query struct{ pairs []string }

func parseQuery(s string) query {
	if s == "" {
		return query{}
	}
	return query{strings.Split(s, "&")}
}

// get is the first value of a name that says anything, trimmed.
func (q query) get(name string) string {
	for _, pair := range q.pairs {
		k, v, _ := strings.Cut(pair, "=")
		if v == "" || k != name && unescape(k) != name {
			continue
		}
		if v = strings.TrimSpace(unescape(v)); v != "" {
			return v
		}
	}
	return ""
}

// unescape decodes a part of a query. The result is valid UTF-8, whatever the bytes that were escaped.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2]); hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		if c == '+' {
			c = ' '
		}
		b = append(b, c)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// hexDigit is the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
