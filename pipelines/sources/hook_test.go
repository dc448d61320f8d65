package sources

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/throughline-io/throughline/pipelines/sources/checks"
)

const hookDefinition = `
name: acme
title: Acme
settings: {token: {about: t, required: true, secret: true, example: s3cret}}
entries:
  - name: orders
    kind: webhook
    makes: [form]
    match: {method: POST, content_type: application/json, values: {"header:X-Topic": "orders/*"}}
    checks: [{secret: {in: "query:tok", is: token}}, {secret: {in: "header:X-Secret", is: token}}]
    read: {format: json}
    map: empty
    answer:
      handshakes:
        - {match: {values: {"json:type": verify}}, checked: true, reply: {body: fine}}
        - {match: {values: {"json:plain": "*"}}, echo: "json:plain", sign: {algorithm: sha256, encoding: hex, key: token},
           reply: {type: application/json, body: '{"plain":"{echo}","signed":"{signed}"}'}}
  - name: rest
    kind: webhook
    makes: [form]
    unchecked: it is a test
    read: {format: form}
    map: empty
`

func hookSource(t *testing.T) (*Source, *Instance) {
	t.Helper()
	list, err := Load(fstest.MapFS{"acme/source.yaml": {Data: []byte(hookDefinition)}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	i, err := list[0].Example()
	if err != nil {
		t.Fatal(err)
	}
	return list[0], i
}

func hookRequest(method, query, body string, headers ...string) *checks.Request {
	r := &checks.Request{Method: method, Path: "/v1/sources/acme/" + sampleKey, Query: query, Header: http.Header{}, Body: []byte(body)}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func TestWhichEntry(t *testing.T) {
	s, _ := hookSource(t)
	for _, row := range []struct {
		name, named string
		r           *checks.Request
		want        string
	}{
		{"all that is asked for", "", hookRequest("POST", "", "", "Content-Type", "application/json; charset=utf-8", "X-Topic", "orders/paid"), "orders"},
		{"another topic", "", hookRequest("POST", "", "", "Content-Type", "application/json", "X-Topic", "carts/new"), "rest"},
		{"no topic", "", hookRequest("POST", "", "", "Content-Type", "application/json"), "rest"},
		{"another type", "", hookRequest("POST", "", "", "Content-Type", "text/plain", "X-Topic", "orders/paid"), "rest"},
		{"another method", "", hookRequest("GET", "", "", "Content-Type", "application/json", "X-Topic", "orders/paid"), "rest"},
		{"the address names it", "orders", hookRequest("POST", "", ""), "orders"},
		{"the address names none", "none", hookRequest("POST", "", ""), ""},
	} {
		got := ""
		if e, ok := s.Webhook(row.r, row.named); ok {
			got = e.Name
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestGreeting(t *testing.T) {
	s, i := hookSource(t)
	e := &s.Entries[0]
	for _, row := range []struct {
		name   string
		r      *checks.Request
		is     bool
		reason checks.Reason
		body   string
	}{
		{"no handshake", hookRequest("POST", "", `{"type":"order"}`), false, "", ""},
		{"one that is checked", hookRequest("POST", "tok=s3cret", `{"type":"verify"}`, "X-Secret", "s3cret"), true, "", "fine"},
		{"one that is forged", hookRequest("POST", "tok=guess", `{"type":"verify"}`), true, checks.WrongSecret, ""},
		{"one that is signed", hookRequest("POST", "", `{"plain":"abc"}`), true, "", `{"plain":"abc","signed":"` + checks.SignText("sha256", "hex", "s3cret", "abc") + `"}`},
		{"a long one", hookRequest("POST", "", `{"plain":"`+strings.Repeat("x", 5000)+`"}`), true, "",
			`{"plain":"` + strings.Repeat("x", MaxEchoBytes) + `","signed":"` + checks.SignText("sha256", "hex", "s3cret", strings.Repeat("x", MaxEchoBytes)) + `"}`},
	} {
		reply, reason, ok := i.Greeting(e, row.r)
		if ok != row.is || reason != row.reason || reply.Body != row.body {
			t.Errorf("%s: %t %q %q", row.name, ok, reason, reply.Body)
		}
	}
}

// TestRequestHoldsNoSecret: what goes to programs, and with a dead letter, is without credentials.
func TestRequestHoldsNoSecret(t *testing.T) {
	s, i := hookSource(t)
	r := hookRequest("POST", "tok=s3cret&a=1&b=x%20y", "", "X-Secret", "s3cret", "Authorization", "Basic s3cret", "Cookie", "s3cret", "X-Topic", "orders/paid")
	got := i.Request(&s.Entries[0], r)
	want := `map[headers:map[x-topic:orders/paid] method:POST path:/v1/sources/acme/<key> query:map[a:1 b:x y]]`
	if text := fmt.Sprint(got); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
