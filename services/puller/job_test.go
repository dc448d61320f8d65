package puller

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/throughline-io/throughline/schemas/delivery"
)

const daily = `
every: 1h
requests:
  - {name: list, request: '{url: "https://api.example/costs", query: {from: $window.from, to: $window.to, account: $account}}'}
for_each: $settings.accounts[]
window: {days: 4, chunk: 2}
`

// at is fake time's beginning: 2000-01-01T00:00Z, the first of January in Warsaw.
const firstWindow = "from=1999-12-29&to=1999-12-30"

func TestPullIsRunWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, daily)
		w.answer = func(*http.Request) *http.Response { return says(200, costs("", 1)) }
		ctx, cancel := context.WithCancel(t.Context())
		j := w.job(w.life())
		done := make(chan error, 1)
		go func() { done <- j.loop(ctx) }()
		<-time.After(150 * time.Minute)
		cancel()
		if err := <-done; err == nil {
			t.Error("it ended by itself")
		}
		// At once, after one hour and after two: each the two parts of the window.
		began := w.at[0]
		var after []time.Duration
		for _, at := range w.at {
			after = append(after, at.Sub(began))
		}
		if want := []time.Duration{0, 0, time.Hour, time.Hour, 2 * time.Hour, 2 * time.Hour}; !slices.Equal(after, want) {
			t.Errorf("asked after %v", after)
		}
		if !strings.Contains(w.asked[0], firstWindow) || !strings.Contains(w.asked[1], "from=1999-12-31&to=1999-12-31") {
			t.Errorf("asked %q", w.asked[:2])
		}
		if n := w.ids()["s1"]; n != 6 {
			t.Errorf("%d events", n)
		}
		if len(j.slot.slots) != 0 {
			t.Error("the slot is still taken")
		}
	})
}

// A crash after any transaction: the next life goes on with the run, and nothing is left out.
func TestCrashAfterEveryTransaction(t *testing.T) {
	for crash := 1; crash <= 6; crash++ {
		t.Run(fmt.Sprint(crash), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, strings.Replace(daily, "$settings.accounts[]", `'"a", "b"'`, 1))
				w.answer = func(r *http.Request) *http.Response {
					q := r.URL.Query()
					return says(200, fmt.Sprintf(`{"items":[{"id":%q,"date":%q,"amount":"1"}]}`, q.Get("account")+q.Get("from"), q.Get("from")))
				}
				w.refuse = func(n int) error {
					if n == crash {
						return errKafka
					}
					return nil
				}
				if _, err := w.once(nil); err == nil {
					t.Fatal("it went on without Kafka")
				}
				<-time.After(time.Minute)
				state, err := w.once(nil)
				if err != nil || state.Failures != 0 || state.Run != nil || state.Ended.IsZero() {
					t.Fatalf("%+v, %v", state, err)
				}
				want := map[string]int{"sa1999-12-29": 1, "sa1999-12-31": 1, "sb1999-12-29": 1, "sb1999-12-31": 1}
				if got := w.ids(); asJSON(got) != asJSON(want) {
					t.Errorf("%v", got)
				}
				if asked := len(w.asked); asked > 5 { // what was in Kafka is not asked for again
					t.Errorf("asked %d times: %q", asked, w.asked)
				}
			})
		})
	}
}

// An account that fails does not keep the others from being pulled, now or with the next run; what it lacks it gets once it is mended.
func TestAnAccountThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, strings.Replace(daily, "$settings.accounts[]", `'"bad", "good"'`, 1))
		broken := true
		w.answer = func(r *http.Request) *http.Response {
			if r.URL.Query().Get("account") == "bad" && broken {
				return says(403, "no access")
			}
			return says(200, costs("", 1))
		}
		state, err := w.once(nil)
		if err != nil || state.Failures != 1 || state.Reason != "vendor_refuses" || !strings.Contains(state.Error, "1 of 2 accounts") || w.ids()["s1"] != 2 {
			t.Fatalf("%+v, %v, %v", state, err, w.ids())
		}
		if _, err = w.once(nil); err != nil || w.ids()["s1"] != 2 {
			t.Errorf("the same run again asks for the good one again: %v, %v", err, w.asked)
		}
		<-time.After(48 * time.Hour)
		broken = false
		w.asked = nil
		if state, err = w.once(nil); err != nil || state.Failures != 0 {
			t.Fatalf("%+v, %v", state, err)
		}
		if got := strings.Join(w.asked, " "); !strings.Contains(got, "account=bad&from=1999-12-31") || !strings.Contains(got, "account=good&from=1999-12-31") {
			t.Errorf("asked %q", got)
		}
	})
}

// A vendor that wants to be left alone for hours is, over a crash too.
func TestLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, daily)
		w.answer = func(*http.Request) *http.Response { return says(429, "", "Retry-After", "7200") }
		state, err := w.once(nil)
		if err != nil || state.Reason != "vendor_throttles" || !state.Next.Equal(time.Now().Add(2*time.Hour)) {
			t.Fatalf("%+v, %v", state, err)
		}
		if next := nextTime(&w.job(w.life()).state, time.Hour); !next.Equal(state.Next) {
			t.Errorf("the next life asks at %s", next)
		}
	})
}

const byCursor = `
every: 1h
requests:
  - {name: list, request: '{url: "https://api.example/costs", query: {after: $cursor}}'}
cursor: {first: '"start"', next: .last}
`

func TestCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, byCursor)
		n := 0
		w.answer = func(*http.Request) *http.Response {
			n++
			return says(200, costs([]string{"", `,"last":"a"`, `,"last":null`, `,"last":9007199254740993`, ""}[n], n))
		}
		for range 4 {
			if _, err := w.once(nil); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Hour)
		}
		if got := strings.Join(w.asked, " "); got != "/costs?after=start /costs?after=a /costs?after=a /costs?after=9007199254740993" {
			t.Errorf("asked %s", got)
		}
	})
}

// What cannot be mapped is a dead letter with all that its mapping needs, once in a life; the others are events.
func TestDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, daily)
		w.answer = func(*http.Request) *http.Response {
			return says(200, `{"items":[{"id":1,"date":"2026-11-01","amount":"1"},{"id":2,"date":"2026-11-01","amount":"+48 501 222 333"},[3]]}`)
		}
		j := w.job(w.life())
		for range 2 {
			j.slot.held = true
			j.slot.slots <- struct{}{}
			if err := j.run(t.Context(), nil); err != nil || j.state.Failures != 0 {
				t.Fatal(err, j.state)
			}
			j.slot.leave()
			<-time.After(time.Hour)
		}
		codes := map[string]int{}
		for _, l := range w.letters() {
			codes[l.Code]++
			body, err := l.Open([]byte("pepper"))
			if err != nil {
				t.Fatal(err)
			}
			p, err := delivery.DecodeParcel(body)
			if err != nil || l.Source == nil || l.Source.Entry != "costs" || l.Source.Version == "" || l.Workspace != "shop" || !strings.Contains(string(p.Told), `"account":"a"`) || !strings.Contains(string(p.Told), `"window":{`) || len(p.Item) == 0 {
				t.Errorf("%+v %+v %v", l, p, err)
			}
			if l.Body != "" || strings.Contains(l.Message, "501") {
				t.Errorf("%+v can be read", l)
			}
		}
		if codes["bad_field"] != 1 || codes["unmapped"] != 1 || len(codes) != 2 { // though they came four times
			t.Errorf("%v", codes)
		}
		if w.ids()["s1"] != 4 {
			t.Errorf("%v", w.ids())
		}
	})
}

// A pull that is larger than a transaction goes to Kafka in parts, and its state with the last: a crash in between pulls it again.
func TestLargePull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, byCursor)
		var ids []int
		for n := range 2*batchEvents + 10 {
			ids = append(ids, n)
		}
		body := costs(`,"last":"z"`, ids...)
		w.answer = func(*http.Request) *http.Response { return says(200, body) }
		w.refuse = func(n int) error {
			if n == 3 { // the run, the first part, the second
				return errKafka
			}
			return nil
		}
		if _, err := w.once(nil); err == nil || len(w.ids()) != batchEvents {
			t.Fatalf("%v after %d events", err, len(w.ids()))
		}
		state, err := w.once(nil)
		if got := w.ids(); err != nil || len(got) != len(ids) || got["s0"] != 2 || got[fmt.Sprintf("s%d", len(ids)-1)] != 1 {
			t.Errorf("%v, %d events", err, len(got))
		}
		if state.Counts.Events != len(ids) || state.Counts.Items != len(ids) {
			t.Errorf("%+v", state.Counts)
		}
	})
}

func TestOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, daily)
		w.answer = func(*http.Request) *http.Response { return says(200, costs("", 1)) }
		o := w.life()
		j := w.job(o)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() { done <- j.loop(ctx) }()
		<-time.After(10 * time.Minute)
		synctest.Wait()
		w.asked = nil
		o.hear(map[pullID]Order{j.pullID: {ID: "o1", Since: "1999-12-20"}})
		<-time.After(time.Minute)
		synctest.Wait()
		if len(w.asked) != 6 || !strings.Contains(w.asked[0], "from=1999-12-20&to=1999-12-21") {
			t.Errorf("asked %q", w.asked)
		}
		if j.state.Ordered == nil || *j.state.Ordered != (Ordered{ID: "o1"}) {
			t.Errorf("%+v", j.state)
		}
		cancel()
		<-done
		if left := w.life().state.orders; len(left) != 0 {
			t.Errorf("the order is still there: %v", left)
		}
	})
}

// Pulls that wait for their vendor hold no other up.
func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := make(slots, 1)
		a, b := slot{slots: all}, slot{slots: all}
		if err := a.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := b.take(t.Context()); err != nil || time.Since(began) != 0 {
				t.Errorf("%v after %s", err, time.Since(began))
			}
			<-time.After(2 * time.Hour)
			b.leave()
		}()
		if err := a.wait(t.Context(), time.Hour); err != nil || time.Since(began) != 2*time.Hour {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		<-done
		a.leave()
		if len(all) != 0 {
			t.Error("a slot is lost")
		}
	})
}

// Other sources in force: the owner starts anew with them.
func TestUseSources(t *testing.T) {
	w := newWorld(t, daily)
	w.answer = func(*http.Request) *http.Response { return says(200, costs("", 1)) }
	o := w.life()
	p := o.p
	before := p.sources.Load()
	p.UseSources(w.set)
	if err := o.follow(t.Context(), before); err != nil {
		t.Errorf("an owner of former sources: %v", err)
	}
	if now := p.sources.Load(); now == before || now.Set != w.set {
		t.Error("the former sources are in force")
	}
}
