package collector

import (
	"net/http"
	"strings"
	"testing"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
)

func TestKeys(t *testing.T) {
	d := open(t)
	for _, row := range []struct {
		name, authorization string
		status              int
	}{
		{"a secret key", "Bearer sk_shop", http.StatusAccepted},
		{"in other letters, with blanks", "bearer  sk_open ", http.StatusAccepted},
		{"none", "", http.StatusUnauthorized},
		{"an unknown one", "Bearer sk_shop2", http.StatusUnauthorized},
		{"an empty one", "Bearer ", http.StatusUnauthorized},
		{"another scheme", "Basic sk_shop", http.StatusUnauthorized},
		{"without a scheme", "sk_shop", http.StatusUnauthorized},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := d.post([]byte(visit("1")), "Authorization", row.authorization)
			if r.status != row.status {
				t.Fatalf("%d, %s", r.status, r.text)
			}
			if challenge := r.header.Get("WWW-Authenticate"); r.status == http.StatusUnauthorized && (challenge == "" || r.Error.Code != "unauthorized") {
				t.Errorf("%q, %s", challenge, r.text)
			}
		})
	}
	if n := len(d.records(pipelines.TopicEvents)); n != 2 {
		t.Errorf("Kafka has %d events; the two good keys are of two workspaces", n)
	}
}

// TestPublicKeys checks what a browser may send.
func TestPublicKeys(t *testing.T) {
	deal := `{"id":"d","type":"deal","source":"crm","time":"2026-11-01T10:00:00Z","identities":{"phone":"+48501000001"},"deal":{"id":"1"}}`
	nameless := strings.Replace(visit("x"), `"id":"x",`, "", 1)
	for _, row := range []struct {
		name, key, item, code string
	}{
		{"a visit", "pk_shop", visit("1"), ""},
		{"a form", "pk_shop", strings.ReplaceAll(visit("1"), `"visit"`, `"form"`), ""},
		{"an identify", "pk_shop", strings.Replace(visit("1"), `"type":"visit"`, `"type":"identify"`, 1), ""},
		{"a visit without an id", "pk_shop", nameless, ""},
		{"a deal", "pk_shop", deal, "bad_type"},
		{"a deal with a secret key", "sk_shop", deal, ""},
		{"no id with a secret key", "sk_shop", nameless, "bad_id"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t)
			r := d.post([]byte(row.item), "Authorization", "Bearer "+row.key)
			if r.codes() != row.code {
				t.Fatalf("%d, %s", r.status, r.text)
			}
			if row.code != "" {
				return
			}
			e, err := event.Decode(d.records(pipelines.TopicEvents)[0].Value)
			if err != nil || e.ID == "" {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}
