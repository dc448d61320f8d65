package event

import (
	"bytes"
	"strings"
)

// A run is digits with nothing but separators between them: maybe a number, maybe several.
type run struct {
	digits []byte
	at     []int // where in the text each digit stands
}

// withoutKnown takes the client's numbers out of a text, however they are grouped, escaped or prefixed there.
func (s *scrubber) withoutKnown(v string) string {
	var out []byte
	from := 0
	r := &s.run
	for i := 0; i < len(v); {
		if !isDigit(v[i]) {
			i++
			continue
		}
		i = r.read(v, i)
		for at := 0; at < len(r.digits); {
			first, last, ok := s.find(r, at)
			if !ok {
				break
			}
			start := r.at[first]
			start -= plusBefore(v[from:start])
			out = append(append(out, v[from:start]...), phoneMark...)
			from, at = r.at[last]+1, last+1
		}
	}
	if from == 0 {
		return v
	}
	return string(append(out, v[from:]...))
}

// read fills the run that begins at i and returns where it ends.
func (r *run) read(v string, i int) int {
	r.digits, r.at = r.digits[:0], r.at[:0]
	for i < len(v) && isDigit(v[i]) {
		r.digits, r.at = append(r.digits, v[i]), append(r.at, i)
		i++
		next := i
		for range maxSeparators {
			n := separator(v[next:])
			if n == 0 {
				break
			}
			next += n
		}
		if next < len(v) && isDigit(v[next]) {
			i = next
		}
	}
	return i
}

// find is the first of the client's numbers in the run from digit at on: its first and last digit.
func (s *scrubber) find(r *run, at int) (first, last int, ok bool) {
	for _, k := range s.phones {
		from := at
		for {
			i := bytes.Index(r.digits[from:], []byte(k.tail))
			if i < 0 {
				break
			}
			i += from
			f, l := i, i+len(k.tail)-1
			for p := len(k.full) - len(k.tail); p > 0 && f > at && r.digits[f-1] == k.full[p-1]; p-- {
				f--
			}
			if (len(k.tail) == significantDigits || r.alone(f, l)) && (!ok || f < first) {
				first, last, ok = f, l, true
			}
			from = i + 1
		}
	}
	return first, last, ok
}

// alone reports that digits f to l are not a part of a longer number, trunk zeros aside: a short number needs that to be told
// from an id.
func (r *run) alone(f, l int) bool {
	for f > 0 && r.digits[f-1] == '0' && r.at[f-1] == r.at[f]-1 {
		f--
	}
	return (f == 0 || r.at[f-1] < r.at[f]-1) && (l == len(r.at)-1 || r.at[l+1] > r.at[l]+1)
}

// separator is the length of what may stand between two digits of a number at the beginning of v: 0 if nothing such does.
func separator(v string) int {
	if v == "" {
		return 0
	}
	switch v[0] {
	case ' ', '(', ')', '.', '-', '/', '+':
		return 1
	case '%':
		if len(v) >= 3 {
			switch strings.ToUpper(v[1:3]) {
			case "20", "28", "29", "2B", "2D", "2E", "2F":
				return 3
			}
		}
	}
	for _, space := range []string{"\u00a0", "\u2009", "\u202f", "\u2011", "\u2013"} {
		if strings.HasPrefix(v, space) {
			return len(space)
		}
	}
	return 0
}

// plusBefore is the length of the plus that ends v, escaped or not.
func plusBefore(v string) int {
	switch {
	case strings.HasSuffix(v, "+"):
		return 1
	case strings.HasSuffix(v, "%2B"), strings.HasSuffix(v, "%2b"):
		return 3
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
