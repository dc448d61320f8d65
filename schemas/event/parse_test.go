package event

import (
	"strings"
	"testing"
	"time"
)

// head is what every event needs; rows of tables bring the rest.
const head = `{"id":"e-1","source":"site","time":"2026-11-01T10:00:00.123Z",`

func mustParse(t *testing.T, raw string) Event {
	t.Helper()
	e, _, bad := Parse([]byte(raw), testRules(), testNow, Options{})
	if bad != nil {
		t.Fatal(bad)
	}
	return e
}

func TestParseRejects(t *testing.T) {
	visit := `"type":"visit","identities":{"user_id":"u"},"visit":{"url":"https://a.example/"}`
	call := `"type":"call","call":`
	deal := `"type":"deal","deal":`
	spend := `"type":"spend","spend":`
	lease := `"type":"number_lease","identities":{"anonymous_id":"a"},"number_lease":`
	for _, row := range []struct {
		name, raw string
		code      Code
		field     string
	}{
		{"nothing", ``, BadJSON, ""},
		{"a list", `[]`, BadJSON, ""},
		{"half an object", `{"id":`, BadJSON, ""},
		{"two objects", `{}{}`, BadJSON, ""},
		{"bytes that are no text", "{\"id\":\"\xff\"}", BadJSON, ""},
		{"too deep", strings.Repeat("[", 20000), BadJSON, ""},
		{"too large", `{"x":"` + strings.Repeat("x", MaxEventBytes) + `"}`, TooLarge, ""},
		{"no type", head + `"visit":{}}`, BadType, "type"},
		{"type null", head + `"type":null}`, BadType, "type"},
		{"an unknown type", head + `"type":"Visit"}`, BadType, "type"},
		{"a type that is no string", head + `"type":1}`, BadType, "type"},
		{"no source", `{"id":"1","time":"2026-11-01T10:00:00Z",` + visit + `}`, BadSource, "source"},
		{"a source in capitals", `{"id":"1","source":"Site","time":"2026-11-01T10:00:00Z",` + visit + `}`, BadSource, "source"},
		{"a source too long", `{"id":"1","source":"` + strings.Repeat("s", 33) + `","time":"2026-11-01T10:00:00Z",` + visit + `}`, BadSource, "source"},
		{"no id", `{"source":"site","time":"2026-11-01T10:00:00Z",` + visit + `}`, BadID, "id"},
		{"an empty id", `{"id":"","source":"site","time":"2026-11-01T10:00:00Z",` + visit + `}`, BadID, "id"},
		{"a number as id", `{"id":7,"source":"site","time":"2026-11-01T10:00:00Z",` + visit + `}`, BadID, "id"},
		{"an id too long", `{"id":"` + strings.Repeat("ż", 129) + `","source":"site","time":"2026-11-01T10:00:00Z",` + visit + `}`, BadID, "id"},
		{"no time", `{"id":"1","source":"site",` + visit + `}`, BadTime, "time"},
		{"a time without an offset", `{"id":"1","source":"site","time":"2026-11-01T10:00:00",` + visit + `}`, BadTime, "time"},
		{"a comma before the fraction", `{"id":"1","source":"site","time":"2026-11-01T10:00:00,5Z",` + visit + `}`, BadTime, "time"},
		{"an hour of one digit", `{"id":"1","source":"site","time":"2026-11-01T9:00:00Z",` + visit + `}`, BadTime, "time"},
		{"a day that is none", `{"id":"1","source":"site","time":"2026-02-30T10:00:00Z",` + visit + `}`, BadTime, "time"},
		{"Unix seconds", `{"id":"1","source":"site","time":1793527200,` + visit + `}`, BadTime, "time"},
		{"more than a day ahead", `{"id":"1","source":"site","time":"2026-11-21T12:00:00.001Z",` + visit + `}`, TimeInFuture, "time"},
		{"the last century", `{"id":"1","source":"site","time":"1999-12-31T23:59:59.999Z",` + visit + `}`, TimeTooOld, "time"},

		{"identities that are a list", head + `"type":"identify","identities":["a"]}`, BadField, "identities"},
		{"a kind in capitals", head + `"type":"identify","identities":{"Phone":"1"}}`, BadField, "identities"},
		{"a number as identity", head + `"type":"identify","identities":{"user_id":7}}`, BadField, "identities.user_id"},
		{"a number in a list of identities", head + `"type":"identify","identities":{"user_id":["a",7]}}`, BadField, "identities.user_id"},
		{"too many identities", head + `"type":"identify","identities":{"user_id":["` + strings.Repeat(`a","`, MaxIdentities) + `a"]}}`, BadField, "identities"},
		{"no identities", head + `"type":"identify"}`, NoIdentity, "identities"},
		{"identities of nobody", head + `"type":"identify","identities":{"user_id":["", " ", "0-0", "N/A", "Guest"],"phone":"12"}}`, NoIdentity, "identities"},
		{"excluded ones only", head + `"type":"identify","identities":{"phone":"22 111 00 00","email":"Office@Shop.example","whatsapp":"48221110000"}}`, NoIdentity, "identities"},

		{"no object", head + `"type":"visit","identities":{"user_id":"u"}}`, BadField, "visit"},
		{"an object that is null", head + `"type":"form","identities":{"user_id":"u"},"form":null}`, BadField, "form"},
		{"an object that is a string", head + `"type":"form","identities":{"user_id":"u"},"form":"f"}`, BadField, "form"},
		{"a visit without url", head + `"type":"visit","identities":{"user_id":"u"},"visit":{}}`, BadField, "visit.url"},
		{"a relative url", head + `"type":"visit","identities":{"user_id":"u"},"visit":{"url":"/a?to=https://b.example"}}`, BadField, "visit.url"},
		{"a url without a host", head + `"type":"visit","identities":{"user_id":"u"},"visit":{"url":"https:///a"}}`, BadField, "visit.url"},
		{"a number in utm", head + `"type":"visit","identities":{"user_id":"u"},"visit":{"url":"https://a.example","utm":{"campaign":7}}}`, BadField, "visit.utm.campaign"},
		{"a number as click id", head + `"type":"visit","identities":{"user_id":"u"},"visit":{"url":"https://a.example","click_ids":{"gclid":7}}}`, BadField, "visit.click_ids.gclid"},
		{"a call without direction", head + call + `{"from":"1","to":"2","status":"missed"}}`, BadField, "call.direction"},
		{"a call to nowhere", head + call + `{"direction":"in","from":"501000001","status":"missed"}}`, BadField, "call.to"},
		{"a call of a hidden number", head + call + `{"direction":"in","to":"2","status":"missed"}}`, NoIdentity, "identities"},
		{"a call of no known status", head + call + `{"direction":"in","from":"1","to":"2","status":"lost"}}`, BadField, "call.status"},
		{"a call that waited less than nothing", head + call + `{"direction":"in","from":"501000001","to":"2","status":"missed","wait_seconds":-1}}`, BadField, "call.wait_seconds"},
		{"a call of nobody", head + call + `{"direction":"in","from":"anonymous","to":"2","status":"missed"}}`, NoIdentity, "identities"},
		{"a message without platform", head + `"type":"message","identities":{"user_id":"u"},"message":{"direction":"in"}}`, BadField, "message.platform"},
		{"a message on a platform without a name", head + `"type":"message","identities":{"user_id":"u"},"message":{"platform":" ","direction":"in"}}`, BadField, "message.platform"},
		{"a form without anyone", head + `"type":"form","form":{}}`, NoIdentity, "identities"},
		{"a deal without id", head + deal + `{"status":"won"}}`, BadField, "deal.id"},
		{"a deal with an empty id", head + deal + `{"id":" "}}`, BadField, "deal.id"},
		{"a deal of no known status", head + deal + `{"id":"1","status":"closed"}}`, BadField, "deal.status"},
		{"an amount that is a number", head + deal + `{"id":"1","amount":12.5}}`, BadField, "deal.amount"},
		{"an amount with a comma", head + deal + `{"id":"1","amount":"12,50"}}`, BadField, "deal.amount"},
		{"a cost beyond all bounds", head + deal + `{"id":"1","cost_of_goods":"12345678901234"}}`, BadField, "deal.cost_of_goods"},
		{"deleted in words", head + deal + `{"id":"1","deleted":"yes"}}`, BadField, "deal.deleted"},
		{"created at no moment", head + deal + `{"id":"1","created_at":"2026-11-01"}}`, BadField, "deal.created_at"},
		{"created before there were databases", head + deal + `{"id":"1","created_at":"1850-01-01T00:00:00Z"}}`, BadField, "deal.created_at"},
		{"a currency without a rate", head + deal + `{"id":"1","currency":"GBP"}}`, UnknownCurrency, "deal.currency"},
		{"an amount that the ledger has no room for", head + deal + `{"id":"1","amount":"9999999999999","currency":"USD"}}`, BadField, "deal.amount"},
		{"a cost that the ledger has no room for", head + deal + `{"id":"1","cost_of_goods":"-9999999999999","currency":"USD"}}`, BadField, "deal.cost_of_goods"},
		{"a spend that the ledger has no room for", head + spend + `{"date":"2026-11-01","amount":"9999999999999","currency":"USD"}}`, BadField, "spend.amount"},
		{"a spend without amount", head + spend + `{"date":"2026-11-01"}}`, BadField, "spend.amount"},
		{"a spend on no day", head + spend + `{"date":"2026-02-29","amount":"1"}}`, BadField, "spend.date"},
		{"a spend of half a click", head + spend + `{"date":"2026-11-01","amount":"1","clicks":0.5}}`, BadField, "spend.clicks"},
		{"a spend in another currency", head + spend + `{"date":"2026-11-01","amount":"1","currency":"zł"}}`, UnknownCurrency, "spend.currency"},
		{"a lease of no number", head + lease + `{"number":"12","until":"2026-11-01T11:00:00Z"}}`, BadField, "number_lease.number"},
		{"a lease without an end", head + lease + `{"number":"+48221110001"}}`, BadField, "number_lease.until"},
		{"a lease without a visitor", head + `"type":"number_lease","identities":{"user_id":"u"},"number_lease":{"number":"+48221110001","until":"2026-11-01T11:00:00Z"}}`, NoIdentity, "identities.anonymous_id"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e, _, bad := Parse([]byte(row.raw), testRules(), testNow, Options{})
			if bad == nil {
				t.Fatalf("accepted: %+v", e)
			}
			if bad.Code != row.code || bad.Field != row.field || bad.Message == "" {
				t.Fatalf("got %v, want %s at %q", bad, row.code, row.field)
			}
			if Codes[bad.Code] == "" {
				t.Fatalf("code %s has no sentence", bad.Code)
			}
		})
	}
}

func TestParseEnvelope(t *testing.T) {
	for _, row := range []struct {
		name, time string
		want       string
	}{
		{"to the millisecond, not rounded", "2026-11-01T10:00:00.123999Z", "2026-11-01T10:00:00.123Z"},
		{"an offset", "2026-11-01T10:00:00+05:30", "2026-11-01T04:30:00Z"},
		{"small letters", "2026-11-01t10:00:00z", "2026-11-01T10:00:00Z"},
		{"a day ahead to the millisecond", "2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z"},
		{"the first moment", "2000-01-01T00:00:00Z", "2000-01-01T00:00:00Z"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := mustParse(t, ` {"id":"1","source":"s","type":"identify","identities":{"user_id":"u"},"time":"`+row.time+`"}`)
			want, err := time.Parse(time.RFC3339, row.want)
			if err != nil {
				t.Fatal(err)
			}
			if e.Time != want.UnixMilli() {
				t.Fatalf("got %s", time.UnixMilli(e.Time).UTC())
			}
			if e.Received != testNow.UnixMilli() || e.Workspace != "w" || e.Key() != "s/1" {
				t.Fatalf("%+v", e)
			}
		})
	}
}

func TestParseAssignsIDs(t *testing.T) {
	raw := []byte(`{"source":"s","time":"2026-11-01T10:00:00Z","type":"identify","identities":{"user_id":"u"},"id":null}`)
	a, _, bad := Parse(raw, testRules(), testNow, Options{AssignID: true})
	if bad != nil {
		t.Fatal(bad)
	}
	b, _, _ := Parse(raw, testRules(), testNow, Options{AssignID: true})
	if len(a.ID) != 36 || a.ID[14] != '7' || a.ID == b.ID {
		t.Fatalf("%q and %q are not two UUIDv7", a.ID, b.ID)
	}
}

// Null is as good as absent, unknown members are ignored, the last of equal keys counts.
func TestParseIsLenientWhereItMayBe(t *testing.T) {
	plain := mustParse(t, head+`"type":"visit","identities":{"user_id":"u"},"visit":{"url":"https://a.example/"}}`)
	for _, row := range []struct{ name, raw string }{
		{"nulls", head + `"type":"visit","identities":{"user_id":["u",null],"phone":null,"BAD":null},"visit":{"url":"https://a.example/","utm":null,"referrer":null,"click_ids":{"gclid":null},"title":null}}`},
		{"unknown members", head + `"type":"visit","identities":{"user_id":"u"},"visit":{"url":"https://a.example/","Title":7},"call":7,"TYPE":"x"}`},
		{"equal keys", head + `"type":"call","type":"visit","identities":7,"identities":{"user_id":"u"},"visit":{"url":"x","url":"https://a.example/"}}`},
		{"the same identity twice", head + `"type":"visit","identities":{"user_id":["u"," u "]},"visit":{"url":"https://a.example/"}}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if e := mustParse(t, row.raw); e.Content != plain.Content {
				t.Fatalf("means something else: %+v", e)
			}
		})
	}
	if other := mustParse(t, head+`"type":"visit","identities":{"user_id":"u"},"visit":{"url":"https://a.example/b"}}`); other.Content == plain.Content {
		t.Fatal("another url must be another content")
	}
}
