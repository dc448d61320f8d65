package event

import (
	"reflect"
	"strings"
	"testing"
)

func ptr[T any](v T) *T { return &v }

// TestBodies checks what is left of each object once it is read.
func TestBodies(t *testing.T) {
	r := testRules()
	who := `"identities":{"anonymous_id":"a"},`
	for _, row := range []struct {
		name, raw string
		got       func(*Event) any
		want      any
	}{
		{
			"a visit", who + `"type":"visit","visit":{"url":" https://a.example/ ","title":"T","referrer":"https://b.example/"}}`,
			func(e *Event) any { return e.Visit },
			&VisitData{URL: "https://a.example/", Title: "T", Referrer: "https://b.example/", Origin: Origin{Referrer: "b.example"}},
		},
		{
			"a call", `"type":"call","call":{"direction":"in","from":"501000001","to":"22 111 22 33","status":"answered","wait_seconds":5.0,"talk_seconds":1e2,
				"manager":"Eva","recording_url":"https://r.example/1.mp3","utm":{"source":"X"}}}`,
			func(e *Event) any { return e.Call },
			&CallData{Direction: In, Company: "+48221112233", Client: r.Node("phone", "+48501000001").ID, Status: "answered", Wait: 5, Talk: 100, Manager: "Eva", Recording: "https://r.example/1.mp3", UTM: UTM{Source: "x"}},
		},
		{
			"a call to an extension", `"type":"call","call":{"direction":"out","from":" 77 ","to":"501000001","status":"failed"}}`,
			func(e *Event) any { return e.Call },
			&CallData{Direction: Out, Company: "77", Client: r.Node("phone", "+48501000001").ID, Status: "failed"},
		},
		{
			"a message", who + `"type":"message","message":{"platform":" WhatsApp","direction":"out","manager":"Eva","ref":"promo","utm":{"medium":"M"}}}`,
			func(e *Event) any { return e.Message },
			&MessageData{Platform: "whatsapp", Direction: Out, Manager: "Eva", Ref: "promo", UTM: UTM{Medium: "m"}},
		},
		{
			"a form", who + `"type":"form","form":{"form_id":"f","url":"/contact"}}`,
			func(e *Event) any { return e.Form }, &FormData{FormID: "f", URL: "/contact"},
		},
		{
			"a deal in full", `"type":"deal","deal":{"id":"7","pipeline":"sales","stage":"new","status":"won","amount":"-1200.50","cost_of_goods":"0","currency":" usd ",
				"manager":"","reason":"r","created_at":"2026-10-01T00:00:00.5+02:00","title":"T","deleted":false}}`,
			func(e *Event) any { return e.Deal },
			&DealData{
				ID: "7", Pipeline: ptr("sales"), Stage: ptr("new"), Status: ptr("won"), Amount: ptr(Money("-1200.50")), CostOfGoods: ptr(Money("0")), Currency: ptr("USD"),
				Manager: ptr(""), Reason: ptr("r"), CreatedAt: ptr(int64(1790805600500)), Title: ptr("T"), Deleted: ptr(false),
			},
		},
		{
			"a deal of which nothing is known", `"type":"deal","deal":{"id":"7","stage":null,"amount":null,"deleted":null}}`,
			func(e *Event) any { return e.Deal }, &DealData{ID: "7"},
		},
		{
			"a spend", `"type":"spend","identities":{"email":"ads@shop.example"},"spend":{"date":"2028-02-29","account":" ads@shop.example ","utm":{"source":"Google","campaign":"mail@shop.example"},
				"impressions":9007199254740991,"clicks":3,"amount":"12.345678","currency":"eur"}}`,
			func(e *Event) any { return e.Spend },
			&SpendData{Date: "2028-02-29", Account: "ads@shop.example", UTM: UTM{Source: "google", Campaign: "mail@shop.example"}, Impressions: 1<<53 - 1, Clicks: 3, Amount: "12.345678", Currency: "EUR"},
		},
		{
			"a spend in the workspace's currency", `"type":"spend","spend":{"date":"2026-11-01","amount":"-1","currency":null}}`,
			func(e *Event) any { return e.Spend }, &SpendData{Date: "2026-11-01", Amount: "-1"},
		},
		{
			"a spend has no identities", `"type":"spend","identities":{"user_id":"u"},"spend":{"date":"2026-11-01","amount":"1"}}`,
			func(e *Event) any { return len(e.Nodes) }, 0,
		},
		{
			"a lease", who + `"type":"number_lease","number_lease":{"number":"22 111 00 01","until":"2026-11-01T11:00:00Z"}}`,
			func(e *Event) any { return e.Lease },
			&LeaseData{Number: "+48221110001", Until: 1793530800000, Visitor: r.Node("anonymous_id", "a").ID},
		},
		{
			"a lease of one visitor who is named twice", `"identities":{"anonymous_id":["a"," a ","null"]},"type":"number_lease","number_lease":{"number":"+48221110001","until":"2026-11-01T11:00:00Z"}}`,
			func(e *Event) any { return e.Lease },
			&LeaseData{Number: "+48221110001", Until: 1793530800000, Visitor: r.Node("anonymous_id", "a").ID},
		},
		{
			"a lease of two visitors", `"identities":{"anonymous_id":["a","b"]},"type":"number_lease","number_lease":{"number":"+48221110001","until":"2026-11-01T11:00:00Z"}}`,
			func(e *Event) any { return e.Lease },
			&LeaseData{Number: "+48221110001", Until: 1793530800000, Visitor: r.Node("anonymous_id", "a").ID, Several: true},
		},
		{
			"an identify needs no object", who + `"type":"identify","identify":7}`,
			func(e *Event) any { return e.Type }, Identify,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := mustParse(t, head+row.raw)
			if got := row.got(&e); !reflect.DeepEqual(got, row.want) {
				t.Fatalf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestParseMoney(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "007": "7000000", "1.5": "1500000", "-0.000001": "-1", "9999999999999.999999": "9999999999999999999", "1200.50": "1200500000",
	} {
		m, ok := ParseMoney(in)
		if !ok || m.Micros().String() != want {
			t.Errorf("%q: got %v %s, want %s", in, ok, m.Micros(), want)
		}
	}
	for _, in := range []string{"", "-", ".", "5.", ".5", "+1", "1e3", " 1", "1 ", "1,5", "--1", "1.2.3", "1.0000000", strings.Repeat("9", 14), "٣"} {
		if m, ok := ParseMoney(in); ok {
			t.Errorf("%q is taken as %s", in, m)
		}
	}
}
