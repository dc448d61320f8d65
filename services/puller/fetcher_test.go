package puller

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/delivery"
)

// hook makes the record of a hook that names a deal.
func hook(t *testing.T, offset int64, id string) *kgo.Record {
	t.Helper()
	f := &delivery.Fetch{
		Workspace: "shop", Source: delivery.Source{Source: "stub", Instance: "ads", Entry: "deals"}, ReceivedAt: time.Now().UTC().Format(time.RFC3339Nano),
	}
	if err := f.Keep([]byte("pepper"), &delivery.Parcel{Item: []byte(`{"id":"` + id + `"}`), Place: []byte(`{"index":3}`)}, false); err != nil {
		t.Fatal(err)
	}
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &kgo.Record{Topic: pipelines.TopicFetches, Key: []byte(f.Key()), Value: b, Offset: offset, Timestamp: time.Now()}
}

func (w *world) fetcher() *fetcher {
	o := w.life()
	return newFetcher(o.instance(w.set.Instances[0], instanceID{"shop", "ads"}))
}

// push is what polling does.
func (f *fetcher) push(list ...*kgo.Record) {
	f.queue = append(f.queue, list...)
	f.next = list[len(list)-1].Offset + 1
}

// turn is one turn of run, without polling.
func (f *fetcher) turn(t *testing.T) {
	t.Helper()
	if err := f.volley(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.expire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.rest(t.Context()); err != nil {
		t.Fatal(err)
	}
}

const hourly = "every: 1h\nrequests:\n  - {name: list, request: '{url: \"https://api.example/costs\"}'}\n"

func TestFetches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hourly)
		w.answer = func(r *http.Request) *http.Response {
			switch strings.TrimPrefix(r.URL.Path, "/deals/") {
			case "2":
				return says(404, "")
			case "3":
				return says(400, "no")
			case "4":
				return says(200, `[]`)
			case "5":
				return says(500, "")
			case "7":
				return says(302, "", "Location", "https://evil.example/")
			}
			return says(200, `{"stage":"new"}`)
		}
		f := w.fetcher()
		for n := range 8 {
			f.push(hook(t, int64(100+n), fmt.Sprint(n)))
		}
		broken := hook(t, 108, "8")
		broken.Value = []byte("{")
		f.push(broken)
		for len(f.queue) > 0 {
			f.turn(t)
		}
		if got := asJSON(w.ids()); got != `{"d0":1,"d1":1,"d6":1,"gone2":1}` {
			t.Errorf("events %s", got)
		}
		codes := map[string]string{}
		for _, l := range w.letters() {
			body, err := l.Open([]byte("pepper"))
			if err != nil {
				t.Fatal(err)
			}
			if l.Source != nil {
				p, err := delivery.DecodeParcel(body)
				if err != nil || l.Index != 3 || l.Source.Entry != "deals" {
					t.Errorf("%+v, %v", l, err)
				}
				body = p.Item
			} else {
				body = l.Record
			}
			codes[l.Code] = string(body)
		}
		want := map[string]string{"vendor_refuses": `{"id":"3"}`, "unmapped": `{"id":"4"}`, "host_not_allowed": `{"id":"7"}`, "unreadable": "{"}
		if asJSON(codes) != asJSON(want) {
			t.Errorf("letters %s", asJSON(codes))
		}
		// The fifth waits, and a next life knows it, and where it is.
		next := w.fetcher()
		if len(next.waiting) != 1 || next.waiting[105] == nil || next.next != 109 {
			t.Errorf("waiting %s, next %d", asJSON(next.waiting), next.next)
		}
		w.answer = func(*http.Request) *http.Response { return says(200, `{"stage":"won"}`) }
		next.turn(t)
		if w.ids()["d5"] != 0 {
			t.Error("it did not wait")
		}
		<-time.After(firstAway)
		next.turn(t)
		if again := w.fetcher(); w.ids()["d5"] != 1 || len(again.waiting) != 0 || again.next != 109 {
			t.Errorf("%v, waiting %s, next %d", w.ids(), asJSON(again.waiting), again.next)
		}
	})
}

// A vendor that is away is asked by one fetch at a time, after growing pauses; the others stay where they are, and none is lost.
func TestVendorAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hourly)
		away := true
		w.answer = func(*http.Request) *http.Response {
			if away {
				return says(503, "")
			}
			return says(200, `{"stage":"new"}`)
		}
		f := w.fetcher()
		for n := range 50 {
			f.push(hook(t, int64(n), fmt.Sprint(n)))
		}
		for began := time.Now(); time.Since(began) < 6*time.Hour; {
			f.turn(t)
			if len(f.queue) == 0 {
				t.Fatal("all of them were moved aside")
			}
		}
		if asked := len(w.asked); asked < 20 || asked > 120 {
			t.Errorf("asked %d times in 6 hours", asked)
		}
		away = false
		for began := time.Now(); time.Since(began) < 30*time.Minute; <-time.After(time.Second) {
			f.turn(t)
		}
		if len(w.ids()) != 50 || len(f.waiting) != 0 || len(w.letters()) != 0 {
			t.Errorf("%d events, %d wait, %d letters", len(w.ids()), len(f.waiting), len(w.letters()))
		}
	})
}

// One that is away for days has its fetches in the dead letters, from where they can be sent again.
func TestVendorAwayForDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hourly)
		w.answer = func(*http.Request) *http.Response { return says(401, "") } // somebody has to mend the credentials
		f := w.fetcher()
		for n := range 500 {
			f.push(hook(t, int64(n), fmt.Sprint(n)))
		}
		for began := time.Now(); time.Since(began) < maxFetchAge+2*time.Hour; {
			f.turn(t)
			if len(f.queue) == 0 {
				<-time.After(time.Minute)
			}
		}
		ids := map[string]bool{}
		for _, l := range w.letters() {
			body, err := l.Open([]byte("pepper"))
			if err != nil {
				t.Fatal(err)
			}
			ids[string(body)] = true
		}
		if len(ids) != 500 || len(w.letters()) != 500 || len(f.waiting) != 0 || len(w.ids()) != 0 {
			t.Errorf("%d of %d letters, %d wait", len(ids), len(w.letters()), len(f.waiting))
		}
	})
}

// Kafka refuses a transaction: the next life does it again, and has everything.
func TestFetchesOverCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hourly)
		w.answer = func(*http.Request) *http.Response { return says(200, `{"stage":"new"}`) }
		w.refuse = func(n int) error {
			if n%2 == 0 {
				return errKafka
			}
			return nil
		}
		var all []*kgo.Record
		for n := range 20 {
			all = append(all, hook(t, int64(n), fmt.Sprint(n)))
		}
		for lives := 0; len(w.ids()) < 20 && lives < 20; lives++ {
			f := w.fetcher()
			if f.next < 20 {
				f.push(all[f.next:]...)
			}
			for len(f.queue) > 0 && f.volley(t.Context()) == nil {
			}
		}
		if got := w.ids(); len(got) != 20 {
			t.Errorf("%v", got)
		}
		for id, n := range w.ids() {
			if n != 1 {
				t.Errorf("%s %d times", id, n)
			}
		}
	})
}
