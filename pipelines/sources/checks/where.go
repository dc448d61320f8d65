package checks

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Where names a text in a request: header:Name, query:name, form:name, json:a.b.
type Where struct{ kind, name string }

var whereForm = regexp.MustCompile(`^(header|query|form|json):(.+)$`)

func parseWhere(s string) (Where, error) {
	m := whereForm.FindStringSubmatch(s)
	if m == nil {
		return Where{}, fmt.Errorf("%q is none of header:Name, query:name, form:name and json:a.b", s)
	}
	return Where{m[1], m[2]}, nil
}

// ParseWhere reads a place as source.yaml writes it.
func ParseWhere(s string) (Where, error) { return parseWhere(s) }

// Find is the text; false where there is none. Of several of one name, the first.
func (w Where) Find(r *Request) (string, bool) {
	switch w.kind {
	case "header":
		v := r.Header.Values(w.name)
		if len(v) == 0 {
			return "", false
		}
		return v[0], true
	case "query":
		return field(r.Query, w.name)
	case "form":
		return field(string(r.Body), w.name)
	case "json":
		return member(r.Body, strings.Split(w.name, "."))
	}
	return "", false
}

// field finds a field of a form or a query; nothing else of it is decoded.
func field(form, name string) (string, bool) {
	for pair := range strings.SplitSeq(form, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if k != name {
			decoded, err := url.QueryUnescape(k)
			if err != nil || decoded != name {
				continue
			}
		}
		v, err := url.QueryUnescape(v)
		return v, err == nil
	}
	return "", false
}

// member finds a string, a number or a truth value in a JSON object.
func member(body []byte, way []string) (string, bool) {
	raw := json.RawMessage(body)
	for _, name := range way {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return "", false
		}
		var ok bool
		if raw, ok = object[name]; !ok {
			return "", false
		}
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && raw[0] == '"' {
		return text, true
	}
	if len(raw) > 0 && raw[0] != '{' && raw[0] != '[' && raw[0] != 'n' {
		return string(raw), true
	}
	return "", false
}

// Value is a text to be taken from a request.
type Value struct {
	// In is where it stands: header:Name, query:name, form:name, json:a.b.
	In string `yaml:"in"`
	// Split cuts it into pieces of which one will do, such as "," of "t=1,v1=abc".
	Split string `yaml:"split"`
	// Prefix comes before it and is left out, such as sha256=. A piece without it does not count.
	Prefix string `yaml:"prefix"`
}

// maxPieces bounds what a stranger can have compared.
const maxPieces = 16

// find is every piece of the text.
func (v *Value) find(r *Request) []string {
	where, err := parseWhere(v.In)
	if err != nil {
		return nil
	}
	text, ok := where.Find(r)
	if !ok {
		return nil
	}
	pieces := []string{text}
	if v.Split != "" {
		pieces = strings.SplitN(text, v.Split, maxPieces)
	}
	var found []string
	for _, p := range pieces {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(p), v.Prefix); ok && rest != "" {
			found = append(found, rest)
		}
	}
	return found
}
