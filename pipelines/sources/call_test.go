package sources

import (
	"context"
	"strings"
	"testing"

	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// asked makes a request of programs.
func asked(t *testing.T, when, request string) (*Call, error) {
	t.Helper()
	r := &Request{Name: "q"}
	for _, p := range []struct {
		text string
		to   **mapping.Program
	}{{when, &r.Programs.When}, {request, &r.Programs.Request}} {
		if p.text == "" {
			continue
		}
		program, err := mapping.Compile(mapping.Text{File: "p", Line: 1, Text: p.text}, nil)
		if err != nil {
			t.Fatal(err)
		}
		*p.to = program
	}
	return r.Call(context.Background(), map[string]any{"id": "42"}, &mapping.Variables{Settings: map[string]any{"url": "https://api.vendor.example"}})
}

func TestCall(t *testing.T) {
	for _, row := range []struct{ name, when, request, want string }{
		{"a query", "", `{url: "\($settings.url)/deal?a=1", query: {id: .id, filter: {x: ["a b", 2]}, none: null}}`, "GET https://api.vendor.example/deal?a=1&filter%5Bx%5D%5B0%5D=a+b&filter%5Bx%5D%5B1%5D=2&id=42"},
		{"JSON", "", `{url: $settings.url, json: {id: .id}}`, `POST https://api.vendor.example {"id":"42"}`},
		{"a form", "", `{url: $settings.url, form: {select: ["ID"], order: {ID: "ASC"}}}`, "POST https://api.vendor.example order%5BID%5D=ASC&select%5B0%5D=ID"},
		{"text", "", `{url: $settings.url, body: "x", method: "PUT"}`, "PUT https://api.vendor.example x"},
		{"wanted", `.id == "42"`, `{url: $settings.url}`, "GET https://api.vendor.example"},
		{"not wanted", `.id == "43"`, `{url: $settings.url}`, "nothing"},
		{"no object", "", `.id`, "! request q: the program gives a string and no object with url"},
		{"two", "", `({url: $settings.url}, 1)`, "! the program gives 2 values and not one"},
		{"no address", "", `{url: "/deal"}`, `! request q: url "/deal" is no address`},
		{"another scheme", "", `{url: "file:///etc/passwd"}`, `! request q: url "file:///etc/passwd" is no address`},
		{"an unknown field", "", `{url: $settings.url, headres: {}}`, `! request q: "headres" is none of`},
		{"two bodies", "", `{url: $settings.url, body: "x", json: 1}`, `! request q: more than one of json, form and body`},
		{"another method", "", `{url: $settings.url, method: "DELETE"}`, `! request q: method "DELETE" is none of`},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := asked(t, row.when, row.request)
			got := "nothing"
			switch {
			case err != nil:
				got = "! " + err.Error()
			case c != nil:
				got = c.String()
			}
			if got != row.want && (!strings.HasPrefix(row.want, "! ") || !strings.HasPrefix(got, row.want)) {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// TestMay: what a hook says leads nowhere but to the hosts of its source.
func TestMay(t *testing.T) {
	i := &Instance{Source: &Source{Definition: Definition{Name: "acme"}}, Settings: map[string]any{"portal": "https://shop.portal.example:8443/rest/1/x/", "empty": ""}}
	r := &Remote{Hosts: []string{"api.vendor.example", "*.cdn.example", "setting:portal", "setting:empty"}}
	for address, may := range map[string]bool{
		"https://api.vendor.example/x": true, "https://a.cdn.example": true, "https://a.b.cdn.example/": true, "https://shop.portal.example:8443/y": true,
		"https://cdn.example/": false, "https://xcdn.example/": false, "https://api.vendor.example.evil.example/": false, "https://api.vendor.example:444/": false,
		"https://shop.portal.example/": false, "http://169.254.169.254/latest": false, "https://evil.example/?api.vendor.example": false, "": false,
		"https://api.vendor.example@evil.example/": false,
	} {
		if err := i.May(r, address); (err == nil) != may {
			t.Errorf("%s: %v", address, err)
		}
	}
}
