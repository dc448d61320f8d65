package checks

import (
	"fmt"
	"hash"
	"net/url"
	"slices"
	"strings"
)

// part writes one of the parts that are signed.
type part func(w hash.Hash, r *Request, s *signed)

// signed is what the parts need to know beside the request.
type signed struct {
	window   *Value
	settings Settings
	// without is the form field where the signature itself stands.
	without string
}

// parsePart reads a part as source.yaml names it.
func parsePart(name string) (part, error) {
	text := func(of func(*Request) string) part {
		return func(w hash.Hash, r *Request, _ *signed) { w.Write([]byte(of(r))) }
	}
	switch name {
	case "body":
		return func(w hash.Hash, r *Request, _ *signed) { w.Write(r.Body) }, nil
	case "method":
		return text(func(r *Request) string { return r.Method }), nil
	case "url":
		return text(func(r *Request) string { return r.URL }), nil
	case "path":
		return text(func(r *Request) string { return r.Path }), nil
	case "query":
		return text(func(r *Request) string { return r.Query }), nil
	case "timestamp":
		return func(w hash.Hash, r *Request, s *signed) {
			if found := s.window.find(r); len(found) > 0 {
				w.Write([]byte(found[0]))
			}
		}, nil
	case "form-sorted":
		return sortedForm("", ""), nil
	}
	kind, rest, _ := strings.Cut(name, ":")
	switch {
	case kind == "text" && rest != "":
		return text(func(*Request) string { return rest }), nil
	case kind == "setting" && rest != "":
		return func(w hash.Hash, _ *Request, s *signed) { w.Write([]byte(s.settings(rest))) }, nil
	case kind == "form-sorted" && len(rest) == 2:
		return sortedForm(rest[:1], rest[1:]), nil
	}
	where, err := parseWhere(name)
	if err != nil {
		return nil, fmt.Errorf("%q is none of body, method, url, path, query, timestamp, form-sorted, form-sorted:=&, header:Name, query:name, form:name, json:a.b, setting:name and text:…", name)
	}
	return func(w hash.Hash, r *Request, _ *signed) {
		if v, ok := where.Find(r); ok {
			w.Write([]byte(v))
		}
	}, nil
}

// maxFields bounds the form that is sorted for a stranger.
const maxFields = 2_000

// sortedForm is the form's fields by their names, decoded, with what stands between a name and its value and between two fields.
func sortedForm(equals, and string) part {
	return func(w hash.Hash, r *Request, s *signed) {
		type pair struct{ name, value string }
		var pairs []pair
		for text := range strings.SplitSeq(string(r.Body), "&") {
			if len(pairs) == maxFields {
				break // what was left out makes the signature a wrong one
			}
			name, value, _ := strings.Cut(text, "=")
			name, errName := url.QueryUnescape(name)
			value, errValue := url.QueryUnescape(value)
			if errName == nil && errValue == nil && text != "" && name != s.without {
				pairs = append(pairs, pair{name, value})
			}
		}
		slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
		for i, p := range pairs {
			if i > 0 {
				w.Write([]byte(and))
			}
			w.Write([]byte(p.name + equals + p.value))
		}
	}
}
