package mapping

import (
	"net/url"
	"strings"
)

// clickNames are the click ids of SPEC §4.
var clickNames = []string{"gclid", "wbraid", "gbraid", "yclid", "msclkid", "ttclid", "rb_clickid", "fbclid"}

// utmNames are the five values, as a URL has them.
var utmNames = []string{"source", "medium", "campaign", "content", "term"}

// query reads the query of a URL as browsers do: what cannot be decoded stays as it is. Of several of one name, the first that says
// anything.
func query(in any) (map[string]any, error) {
	s, err := str(in)
	if err != nil {
		return nil, err
	}
	_, text, _ := strings.Cut(s, "?")
	text, _, _ = strings.Cut(text, "#")
	out := map[string]any{}
	for pair := range strings.SplitSeq(text, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescaped(name), strings.TrimSpace(unescaped(value))
		if _, ok := out[name]; !ok && name != "" && value != "" {
			out[name] = value
		}
	}
	return out, nil
}

func unescaped(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		s = u
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

func urlQuery(in any, _ []any) (any, error) {
	q, err := query(in)
	return any(q), err
}

// utm is the object that events have, of a URL's query; null where it has none.
func utm(in any, _ []any) (any, error) {
	q, err := query(in)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, name := range utmNames {
		if v, ok := q["utm_"+name]; ok {
			out[name] = v
		}
	}
	return unlessEmpty(out), nil
}

// clickIDs are those of a URL's query; null where it has none.
func clickIDs(in any, _ []any) (any, error) {
	q, err := query(in)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, name := range clickNames {
		if v, ok := q[name]; ok {
			out[name] = v
		}
	}
	return unlessEmpty(out), nil
}

func unlessEmpty(m map[string]any) any {
	if len(m) == 0 {
		return nil
	}
	return m
}

// absoluteURL puts https:// before an address that a vendor shortened: shop.example/new. Blank, and what is no address, is null.
func absoluteURL(in any, _ []any) (any, error) {
	s, err := str(in)
	if err != nil || s == "" {
		return nil, err
	}
	if !strings.Contains(s, "://") {
		s = "https://" + strings.TrimPrefix(s, "//")
	}
	if u, err := url.Parse(s); err != nil || u.Host == "" || !strings.Contains(u.Host, ".") {
		return nil, nil //nolint:nilerr // what is no address is null
	}
	return s, nil
}
