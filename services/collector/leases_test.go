package collector

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/collector/numbers"
)

const ours = "https://shop.example"

func (d *door) number(visitor string, headers ...string) (int, leaseAnswer) {
	d.Helper()
	res, text := d.ask("POST", "/v1/numbers/lease?key=pk_shop", `{"pool":"site","anonymous_id":"`+visitor+`"}`, append([]string{"Origin", ours}, headers...)...)
	var a leaseAnswer
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		d.Fatalf("%v: %s", err, text)
	}
	return res.StatusCode, a
}

// owned waits until numbers are given out: who asks before is told to ask again.
func (d *door) owned() {
	d.Helper()
	d.await("an owner of the pool", func() bool {
		res, _ := d.ask("POST", "/v1/numbers/lease?key=pk_shop", `{"pool":"site","anonymous_id":"first"}`, "Origin", ours)
		return res.StatusCode == http.StatusOK
	})
}

func TestNumbersAreGivenOut(t *testing.T) {
	d := open(t)
	d.owned()
	_, first := d.number("first")
	_, second := d.number("second")
	_, third := d.number("third")
	_, again := d.number("first")
	switch {
	case first.Number == second.Number, first.Fallback, second.Fallback, first.Number == "":
		t.Errorf("two visitors: %+v and %+v", first, second)
	case third.Number != "+48221110009" || !third.Fallback || third.Until != "":
		t.Errorf("with two numbers the third visitor gets %+v", third)
	case again != first:
		t.Errorf("asked again: %+v, was %+v", again, first)
	case first.Refresh != 900:
		t.Errorf("to be asked again after %d s", first.Refresh)
	}
	if status, a := d.number("fourth", "Sec-GPC", "1"); status != 200 || !a.Fallback {
		t.Errorf("who asks not to be tracked gets %+v", a)
	}
	if status, a := d.number("fifth", "User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"); status != 200 || !a.Fallback {
		t.Errorf("a bot gets %+v", a)
	}
	leases := map[string]int{}
	for _, r := range d.records(pipelines.TopicEvents) {
		e, err := event.Decode(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != event.NumberLease || e.Lease.Until <= e.Time || e.Source != LeaseSource {
			t.Errorf("%+v", e)
		}
		leases[e.Lease.Number]++
	}
	if len(leases) != 2 || leases[first.Number] != 1 || leases[second.Number] != 1 {
		t.Errorf("leases told to Kafka: %v", leases)
	}
	d.await("the demand to be written down", func() bool {
		demand, err := PoolDemand(t.Context(), d.cfg.Kafka, d.cfg.TopicPrefix, "shop")
		if err != nil {
			t.Fatal(err)
		}
		var all numbers.Hour
		for _, h := range demand["site"] {
			all.Add(h)
		}
		return all.Visitors == 3 && all.Dry == 1 && all.Enough(1) == 3
	})
}

// Another process takes a pool over with all its leases.
func TestAnOwnerBequeathsItsLeases(t *testing.T) {
	d := open(t)
	d.owned()
	_, first := d.number("first")
	_, second := d.number("second")
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}
	heir := openOn(t, d.cluster)
	heir.owned()
	_, third := heir.number("third")
	_, again := heir.number("second")
	if !third.Fallback || again.Number != second.Number || first.Number == second.Number {
		t.Errorf("first %+v, second %+v; of the heir: third %+v, second %+v", first, second, third, again)
	}
}

func TestBadRequestsForNumbers(t *testing.T) {
	d := open(t)
	const ask = `{"pool":"site","anonymous_id":"a"}`
	for _, row := range []struct {
		name, path, body string
		headers          []string
		status           int
		code             string
	}{
		{"an unknown pool", "?key=pk_shop", `{"pool":"none","anonymous_id":"a"}`, nil, 404, "unknown_pool"},
		{"no visitor", "?key=pk_shop", `{"pool":"site"}`, nil, 400, "no_identity"},
		{"a visitor who is nobody", "?key=pk_shop", `{"pool":"site","anonymous_id":"undefined"}`, nil, 400, "no_identity"},
		{"no JSON", "?key=pk_shop", `pool=site`, nil, 400, "bad_json"},
		{"a list", "?key=pk_shop", `[]`, nil, 400, "bad_json"},
		{"10 MB", "?key=pk_shop", `{"pool":"` + strings.Repeat("x", 10<<20) + `"}`, nil, 413, "too_large"},
		{"no key", "", ask, nil, 401, "unauthorized"},
		{"a key of nobody", "?key=pk_none", ask, nil, 401, "unauthorized"},
		{"a secret key in the address", "?key=sk_shop", ask, nil, 403, "not_public"},
		{"another page", "?key=pk_shop", ask, []string{"Origin", "https://evil.example"}, 403, "origin_not_allowed"},
		{"a pool of another workspace", "", ask, []string{"Authorization", "Bearer sk_open"}, 404, "unknown_pool"},
	} {
		t.Run(row.name, func(t *testing.T) {
			res, text := d.ask("POST", "/v1/numbers/lease"+row.path, row.body, row.headers...)
			if res.StatusCode != row.status || !strings.Contains(text, `"`+row.code+`"`) {
				t.Errorf("%d %s", res.StatusCode, text)
			}
		})
	}
}

func TestBotsAreMarked(t *testing.T) {
	d := open(t)
	const person = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	for agent, bot := range map[string]bool{
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": true,
		"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)":         true,
		"facebookexternalhit/1.1": true,
		"curl/8.5.0":              false, // a sender's own script is nobody's crawler
		person:                    false,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": false,
	} {
		if isBot(agent) != bot {
			t.Errorf("%s: bot %v", agent, !bot)
		}
	}
	d.ask("POST", "/v1/t?key=pk_shop", visit("1"), "Origin", ours, "User-Agent", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)")
	d.ask("POST", "/v1/t?key=pk_shop", visit("2"), "Origin", ours, "User-Agent", person)
	d.ask("POST", "/v1/events", visit("3"), "Authorization", "Bearer sk_shop", "User-Agent", "our-bot/1.0 (+https://shop.example)")
	marked := map[string]bool{}
	for _, r := range d.records(pipelines.TopicEvents) {
		e, err := event.Decode(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		marked[e.ID] = e.Visit.Bot
	}
	var ids []string
	for id, bot := range marked {
		if bot {
			ids = append(ids, id)
		}
	}
	if len(marked) != 3 || len(ids) != 1 {
		t.Errorf("marked as bots: %v of %d", ids, len(marked))
	}
}

func TestTracker(t *testing.T) {
	d := open(t)
	res, text := d.ask("GET", "/t.js", "", "Accept-Encoding", "gzip")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/javascript") {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	if len(text) > 5<<10 {
		t.Errorf("the tracker has %d bytes, gzipped", len(text))
	}
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(plain, tracker) {
		t.Errorf("another script, gzipped: %v", err)
	}
	if res, text := d.ask("GET", "/t.js", "", "Accept-Encoding", "identity"); res.StatusCode != http.StatusOK || text != string(tracker) {
		t.Errorf("%d, %d bytes", res.StatusCode, len(text))
	}
	if res, _ := d.ask("GET", "/t.js", "", "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d", res.StatusCode)
	}
}
