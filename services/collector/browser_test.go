package collector

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
)

// ask sends a request as a browser does and returns the answer with its body read.
func (d *door) ask(method, path, body string, headers ...string) (*http.Response, string) {
	d.Helper()
	req, err := http.NewRequestWithContext(d.Context(), method, d.server.URL+path, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.Fatal(err)
	}
	return res, string(text)
}

func TestOrigins(t *testing.T) {
	const ours, theirs = "https://shop.example", "https://evil.example"
	big := `{"pad":"` + strings.Repeat("x", MaxBrowserBytes) + `"}`
	deal := `{"id":"d","type":"deal","source":"crm","time":"2026-11-01T10:00:00Z","identities":{"phone":"+48501000001"},"deal":{"id":"1"}}`
	for _, row := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		allowed, says            string
	}{
		{"a page's beacon", "POST", "/v1/t?key=pk_shop", visit("1"), []string{"Origin", ours, "Content-Type", "text/plain"}, 202, ours, `"accepted":1`},
		{"several events", "POST", "/v1/t?key=pk_shop", "[" + visit("1") + "," + visit("2") + "]", []string{"Origin", ours}, 202, ours, `"accepted":2`},
		{"the key in a header", "POST", "/v1/t", visit("1"), []string{"Origin", ours, "Authorization", "Bearer pk_shop"}, 202, ours, `"accepted":1`},
		{"another page", "POST", "/v1/t?key=pk_shop", visit("1"), []string{"Origin", theirs}, 403, "", "origin_not_allowed"},
		{"another scheme", "POST", "/v1/t?key=pk_shop", visit("1"), []string{"Origin", "http://shop.example"}, 403, "", "origin_not_allowed"},
		{"a page that is nowhere", "POST", "/v1/t?key=pk_shop", visit("1"), []string{"Origin", "null"}, 403, "", "origin_not_allowed"},
		{"no page", "POST", "/v1/t?key=pk_shop", visit("1"), nil, 202, "", `"accepted":1`},
		{"a referer of another page", "POST", "/v1/t?key=pk_shop", visit("1"), []string{"Referer", theirs + "/x"}, 403, "", "origin_not_allowed"},
		{"a secret key in a page", "POST", "/v1/t?key=sk_shop", visit("1"), []string{"Origin", ours}, 403, "", "not_public"},
		{"no key", "POST", "/v1/t", visit("1"), []string{"Origin", ours}, 401, "", "unauthorized"},
		{"a deal", "POST", "/v1/t?key=pk_shop", deal, []string{"Origin", ours}, 400, ours, "bad_type"},
		{"too much", "POST", "/v1/t?key=pk_shop", big, []string{"Origin", ours}, 413, ours, "too_large"},
		{"events with a public key from another page", "POST", "/v1/events", visit("1"), []string{"Origin", theirs, "Authorization", "Bearer pk_shop"}, 403, "", "origin_not_allowed"},
		{"events with a public key", "POST", "/v1/events", visit("1"), []string{"Origin", ours, "Authorization", "Bearer pk_shop"}, 202, ours, `"accepted":1`},
		{"events with a secret key, of which no page reads the answer", "POST", "/v1/events", visit("1"), []string{"Origin", theirs, "Authorization", "Bearer sk_shop"}, 202, "", `"accepted":1`},
		{"a page that asks", "OPTIONS", "/v1/t", "", []string{"Origin", ours, "Access-Control-Request-Method", "POST"}, 204, ours, ""},
		{"another page that asks", "OPTIONS", "/v1/events", "", []string{"Origin", theirs, "Access-Control-Request-Method", "POST"}, 403, "", "origin_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t)
			res, text := d.ask(row.method, row.path, row.body, row.headers...)
			if res.StatusCode != row.status || !strings.Contains(text, row.says) {
				t.Fatalf("%d: %s", res.StatusCode, text)
			}
			if got := res.Header.Get("Access-Control-Allow-Origin"); got != row.allowed {
				t.Errorf("%q may read it, want %q", got, row.allowed)
			}
			if res.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Error("cookies are let in")
			}
			if !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") && res.StatusCode != http.StatusUnauthorized && row.says != "not_public" {
				t.Error("a cache may give one page's answer to another")
			}
			if taken := len(d.records(pipelines.TopicEvents)) > 0; taken != (row.status == http.StatusAccepted) {
				t.Errorf("events in Kafka: %v", taken)
			}
			if letters := len(d.records(pipelines.TopicDead)); letters > 0 != (row.status == http.StatusBadRequest) {
				t.Errorf("%d dead letters", letters)
			}
		})
	}
}

func TestPixel(t *testing.T) {
	const page = "https://shop.example/cars?utm_source=google&utm_medium=cpc"
	for _, row := range []struct {
		name, query string
		headers     []string
		status      int
		cookie      bool
		source      string // of the visit that is taken; empty: none is
	}{
		{"the page by its Referer", "?key=pk_shop", []string{"Referer", page}, 200, true, "google"},
		{"the page and the visitor told", "?key=pk_shop&anonymous_id=a1&url=https%3A%2F%2Fshop.example%2F%3Futm_source%3Dx", nil, 200, false, "x"},
		{"a visitor who was here", "?key=pk_shop", []string{"Referer", page, "Cookie", visitorCookie + "=a1"}, 200, false, "google"},
		{"a visitor who does not want to be tracked", "?key=pk_shop", []string{"Referer", page, "Sec-GPC", "1"}, 200, false, ""},
		{"another site", "?key=pk_shop", []string{"Referer", "https://evil.example/"}, 403, false, ""},
		{"no page", "?key=pk_shop&anonymous_id=a1", nil, 400, false, ""},
		{"no key", "", []string{"Referer", page}, 401, false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t)
			res, text := d.ask("GET", "/v1/pixel.gif"+row.query, "", row.headers...)
			if res.StatusCode != row.status {
				t.Fatalf("%d: %s", res.StatusCode, text)
			}
			if picture := bytes.HasPrefix([]byte(text), []byte("GIF89a")) && res.Header.Get("Content-Type") == "image/gif"; picture != (row.status == 200) {
				t.Errorf("a picture: %v", picture)
			}
			cookies := res.Cookies()
			if len(cookies) > 0 != row.cookie {
				t.Fatalf("cookies %v", cookies)
			}
			if row.cookie && (cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].MaxAge != int(cookieAge.Seconds())) {
				t.Errorf("cookie %v", cookies[0])
			}
			records := d.records(pipelines.TopicEvents)
			if len(records) > 0 != (row.source != "") {
				t.Fatalf("%d visits", len(records))
			}
			if row.source == "" {
				return
			}
			e, err := event.Decode(records[0].Value)
			if err != nil {
				t.Fatal(err)
			}
			if e.Type != event.Visit || e.Visit.Origin.UTM.Source != row.source || e.ID == "" {
				t.Errorf("%+v", e)
			}
		})
	}
}
