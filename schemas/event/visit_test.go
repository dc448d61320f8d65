package event

import (
	"encoding/json"
	"testing"
)

func TestOrigin(t *testing.T) {
	utm := func(source string) Origin { return Origin{UTM: UTM{Source: source}} }
	for _, row := range []struct {
		name, visit string
		want        Origin
	}{
		{"utm as given, in small letters", `"url":"https://a.example/?utm_source=x&gclid=1","utm":{"source":" Google ","term":"B"}`, Origin{UTM: UTM{Source: "google", Term: "b"}}},
		{"utm that is empty is left out", `"url":"https://a.example/?utm_source=X","utm":{"source":" ","medium":null}`, utm("x")},
		{"one value of utm is enough", `"url":"https://a.example/?utm_content=c"`, Origin{UTM: UTM{Content: "c"}}},
		{"utm in the url before a click id", `"url":"https://a.example/?gclid=1&utm_source=x"`, utm("x")},
		{"escapes in the query", `"url":"https://a.example/?utm_source=z%C3%B3%C5%82ty+ser%21"`, utm("zółty ser!")},
		{"a stray percent sign", `"url":"https://a.example/?utm_source=50%off&utm_x=%"`, utm("50%off")},
		{"an escaped name", `"url":"https://a.example/?utm%5Fsource=x"`, utm("x")},
		{"bytes that are no text", `"url":"https://a.example/?utm_source=a%ffb"`, utm("a\uFFFDb")},
		{"the first value that says anything", `"url":"https://a.example/?utm_source=&utm_source=x&utm_source=y"`, utm("x")},
		{"a query without a path", `"url":"https://a.example?utm_source=x#top"`, utm("x")},
		{"a fragment is no query", `"url":"https://a.example/#?utm_source=x"`, Origin{}},
		{"a semicolon separates nothing", `"url":"https://a.example/?utm_source=x;y"`, utm("x;y")},
		{"a click id as given", `"url":"https://a.example/","click_ids":{"yclid":"1"},"referrer":"https://b.example"`, Origin{Click: "yclid"}},
		{"the order of the contract, not of the sender", `"url":"https://a.example/","click_ids":{"fbclid":"1","yclid":"2","wbraid":"3"}`, Origin{Click: "wbraid"}},
		{"a click id in the url", `"url":"https://a.example/?fbclid=1&ttclid=2"`, Origin{Click: "ttclid"}},
		{"click ids as given hide those in the url", `"url":"https://a.example/?gclid=1","click_ids":{"fbclid":"1"}`, Origin{Click: "fbclid"}},
		{"empty click ids hide nothing", `"url":"https://a.example/?gclid=1","click_ids":{"fbclid":" "}`, Origin{Click: "gclid"}},
		{"a click id that decides nothing", `"url":"https://a.example/","click_ids":{"other":"1"}`, Origin{}},
		{"a referrer", `"url":"https://a.example/","referrer":"https://user@WWW.B.example:8443/p?q#f"`, Origin{Referrer: "b.example"}},
		{"the own host", `"url":"https://www.a.example/","referrer":"http://A.example:80/x"`, Origin{}},
		{"a subdomain is another host", `"url":"https://a.example/","referrer":"https://m.a.example/"`, Origin{Referrer: "m.a.example"}},
		{"an app", `"url":"https://a.example/","referrer":"android-app://com.google.android.gm/"`, Origin{Referrer: "com.google.android.gm"}},
		{"an address of IPv6", `"url":"https://[::1]:80/","referrer":"https://[::1]/"`, Origin{}},
		{"a referrer that is none", `"url":"https://a.example/","referrer":"about:blank"`, Origin{}},
		{"nothing", `"url":"https://a.example/"`, Origin{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := mustParse(t, head+`"type":"visit","identities":{"user_id":"u"},"visit":{`+row.visit+`}}`)
			if e.Visit.Origin != row.want {
				t.Fatalf("got %+v, want %+v", e.Visit.Origin, row.want)
			}
		})
	}
}

func TestClickIDsAreKept(t *testing.T) {
	e := mustParse(t, head+`"type":"visit","identities":{"user_id":"u"},"visit":{"url":"https://a.example/?gclid=g&yclid=y&x=1"}}`)
	got, err := json.Marshal(e.Visit.ClickIDs)
	if err != nil || string(got) != `{"gclid":"g","yclid":"y"}` {
		t.Fatalf("%s %v", got, err)
	}
}
