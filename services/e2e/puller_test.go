package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// vendor is one that throttles, fails in the middle of a list and forgets its tokens: it has costs by day and page, and deals.
type vendor struct {
	*httptest.Server
	mu     sync.Mutex
	rnd    *rand.Rand
	tokens int
	uses   int
	asked  map[string]int
}

const (
	vendorPages   = 20
	vendorItems   = 25
	vendorLatency = 40 * time.Millisecond
)

func newVendor(t *testing.T) *vendor {
	v := &vendor{rnd: rand.New(rand.NewPCG(3, 4)), asked: map[string]int{}}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	<-time.After(vendorLatency)
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.URL.Path == "/token" {
		v.tokens++
		v.uses = 0
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"t%d","token_type":"bearer","expires_in":3600,"refresh_token":"r%d"}`, v.tokens, v.tokens)
		return
	}
	if v.uses++; r.Header.Get("Authorization") != fmt.Sprintf("Bearer t%d", v.tokens) || v.uses > 100 {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch chance := v.rnd.IntN(100); {
	case chance < 1:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case chance < 6:
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/deals/"); ok {
		v.asked["deals"]++
		fmt.Fprintf(w, `{"stage":"stage-%s"}`, id)
		return
	}
	v.asked["pages"]++
	day := r.FormValue("day")
	page, _ := strconv.Atoi(r.FormValue("page"))
	list := make([]string, vendorItems)
	for n := range list {
		list[n] = fmt.Sprintf(`{"id":"%s-%d-%d","date":%q,"amount":"1.25"}`, day, page, n, day)
	}
	fmt.Fprintf(w, `{"items":[%s],"more":%t}`, strings.Join(list, ","), page < vendorPages)
}

// page is how many pages were given.
func (v *vendor) page() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked["pages"]
}

// awaitPage waits until that many were: what a killed process owned is another's only after a while.
func (v *vendor) awaitPage(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); v.page() < n; <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d pages were asked for in a minute, not %d", v.page(), n)
		}
	}
}

// source writes the vendor's definition into a directory of sources.
func (v *vendor) source(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	remote := `
      hosts: ["` + strings.TrimPrefix(v.URL, "http://") + `"]
      auth: {kind: oauth2_refresh, token_url: "` + v.URL + `/token", client_id: client, refresh_token: refresh}
      retries: {attempts: 10, first: 50ms, longest: 500ms}`
	definition := `
name: hardvendor
title: A hard vendor
settings:
  client: {about: the client, default: us}
  refresh: {about: a refresh token, secret: true, default: r0}
entries:
  - name: costs
    kind: pull
    makes: [spend]
    read: {format: json, items: ".items[]"}
    map: '{id: .id, type: "spend", time: (.date + "T00:00:00Z"), spend: {date: .date, account: .id, amount: .amount}}'
    pull:
      every: 24h
      window: {days: 3, chunk: 1, today: true}` + remote + `
      requests:
        - name: list
          request: '{url: "` + v.URL + `/costs", query: {day: $window.from, page: $page.number}}'
          pages: {kind: page, first: 1, more: .more}
  - name: deals
    kind: webhook
    makes: [deal]
    unchecked: a test
    read: {format: json, items: ".[]"}
    map: '{id: ("deal-" + .id), type: "deal", time: $received, identities: {crm_contact: .id}, deal: {id: .id, stage: $responses.deal.stage, status: "won", amount: "10", created_at: $received}}'
    fetch:` + remote + `
      requests:
        - {name: deal, request: '{url: ("` + v.URL + `/deals/" + .id)}'}
`
	if err := os.MkdirAll(filepath.Join(dir, "hardvendor"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hardvendor", "source.yaml"), []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const hookKey = "0123456789abcdef0123456789abcdef"

// hooks sends hooks that name deals, until the collector has taken them.
func (s *system) hooks(from, to int) {
	s.t.Helper()
	var ids []string
	for n := from; n < to; n++ {
		ids = append(ids, fmt.Sprintf(`{"id":"%d"}`, n))
	}
	for end := time.Now().Add(time.Minute); ; <-time.After(100 * time.Millisecond) {
		res, err := http.Post("http://"+s.addr.HTTP+"/v1/sources/hardvendor/"+hookKey, "application/json", strings.NewReader("["+strings.Join(ids, ",")+"]"))
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			s.t.Fatalf("the hooks are not taken: %v %+v", err, res)
		}
	}
}

// pulled waits until no pull and no fetch is left to be done.
func (s *system) pulled(within time.Duration) {
	s.t.Helper()
	var out string
	for end := time.Now().Add(within); time.Now().Before(end); <-time.After(time.Second) {
		out, _ = s.command("status", "--json")
		var st struct {
			Asked struct {
				Pulls []struct {
					Last       time.Time `json:"last_success"`
					Unfinished bool      `json:"unfinished"`
				} `json:"pulls"`
				Fetches []struct{ Waiting int }
				Behind  int
			} `json:"asked"`
		}
		if err := json.Unmarshal([]byte(out), &st); err != nil {
			s.t.Fatalf("%v: %s", err, out)
		}
		a := st.Asked
		if len(a.Pulls) == 1 && !a.Pulls[0].Last.IsZero() && !a.Pulls[0].Unfinished && a.Behind == 0 && a.Fetches[0].Waiting == 0 {
			return
		}
	}
	s.t.Fatalf("not pulled within %s: %s", within, out)
}

// TestPullerIsKilled kills the whole system with -9 while a hard vendor is pulled, and asked back for hooks that keep coming. What the
// vendor has is in ClickHouse then, to the cent and once; a backfill by hand adds what is older, and counts nothing again.
func TestPullerIsKilled(t *testing.T) {
	t.Parallel() // most of it is waiting
	v := newVendor(t)
	s := newSystem(t, 4, `sources: `+v.source(t)+`
workspaces:
  - name: shop
    timezone: Europe/Warsaw
    currency: EUR
    country: PL
    pepper: pepper
    keys: [{name: k, secret: sk_0123456789}]
    sources: [{name: ads, source: hardvendor, key: `+hookKey+`}]
`)
	const kills, each = 3, 50
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for n := range kills {
		s.hooks(n*each, (n+1)*each)
		pause := time.Duration(rnd.IntN(1000)) * time.Millisecond
		v.awaitPage(t, 1+15*n)
		<-time.After(pause)
		t.Logf("kill %d, %s after page %d", n, pause, v.page())
		s.kill()
		s.start()
	}
	s.hooks(kills*each-5, kills*each) // some again: the same ids
	s.pulled(2 * time.Minute)
	s.check(v, 3, kills*each)
	if asked := v.asked["pages"]; asked > (3+kills)*vendorPages {
		t.Errorf("%d pages were asked for; there are %d, and no day need be asked for again but the one that a kill met", asked, 3*vendorPages)
	}

	since := time.Now().In(time.FixedZone("", 0)).AddDate(0, 0, -9).Format(time.DateOnly)
	out, code := s.command("puller", "--once", "ads", "--since", since)
	if code != 0 || !strings.Contains(out, "shop ads costs: ") {
		t.Fatalf("exit status %d: %s", code, out)
	}
	s.pulled(time.Minute)
	days := int(time.Now().Truncate(24*time.Hour).Sub(day(t, since))/(24*time.Hour)) + 1
	if warsaw, err := time.LoadLocation("Europe/Warsaw"); err == nil && time.Now().In(warsaw).Day() != time.Now().UTC().Day() {
		days++ // it is tomorrow there
	}
	s.check(v, days, kills*each)
	if out, _ := s.command("status"); !strings.Contains(out, "pull      shop ads costs: last success 2") {
		t.Errorf("status does not tell of the pull:\n%s", out)
	}
}

func day(t *testing.T, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// check holds ClickHouse to what the vendor has.
func (s *system) check(v *vendor, days, deals int) {
	s.t.Helper()
	s.drain()
	costs := days * vendorPages * vendorItems
	if a := s.auditClean(); a.Events != costs+deals {
		s.t.Errorf("%d events stand; the vendor has %d costs and %d deals", a.Events, costs, deals)
	}
	rows := s.query(s.t, `SELECT toInt64(sum(spend) * 100) FROM throughline.channel_daily WHERE model = 'linear' AND date_basis = 'touch'`)
	if want := joined(int64(costs) * 125); len(rows) != 1 || rows[0] != want {
		s.t.Errorf("spend %v cents, the vendor has %s", rows, want)
	}
	rows = s.query(s.t, `SELECT toInt64(sum(revenue) * 100) FROM throughline.credits WHERE conversion = 'sale' AND model = 'linear'`)
	if want := joined(int64(deals) * 1000); len(rows) != 1 || rows[0] != want {
		s.t.Errorf("revenue %v cents, the vendor has %s", rows, want)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	s.t.Logf("%d costs and %d deals; the vendor was asked for %v and gave %d tokens", costs, deals, v.asked, v.tokens)
}

// What of a pull the mapping could not take lies in the dead letters with all that it was told, and comes through once the mapping is
// mended: the vendor is not asked again.
func TestPullIsReplayed(t *testing.T) {
	t.Parallel() // most of it is waiting
	var asked atomic.Int64
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		fmt.Fprintf(w, `{"items":[{"id":"1","date":%[1]q,"amount":"1.25"},{"id":"2","date":%[1]q,"cost":"2.50"}]}`, time.Now().UTC().Format(time.DateOnly))
	}))
	defer plain.Close()
	dir := filepath.Join(t.TempDir(), "plainvendor")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "source.yaml"), `
name: plainvendor
title: A plain vendor
entries:
  - name: costs
    kind: pull
    makes: [spend]
    read: {format: json, items: ".items[]"}
    map: costs.jq
    pull:
      every: 24h
      window: {days: 1, today: true}
      hosts: ["`+strings.TrimPrefix(plain.URL, "http://")+`"]
      requests:
        - {name: list, request: '{url: "`+plain.URL+`/costs"}'}
`)
	program := filepath.Join(dir, "costs.jq")
	mapping := func(amount string) {
		write(t, program, `{id: .id, type: "spend", time: (.date + "T00:00:00Z"), spend: {date: .date, account: .id, amount: `+amount+`}}`)
	}
	mapping(`(if .amount then .amount else error("no amount") end)`)
	s := newSystem(t, 3, fmt.Sprintf("sources: %q\nworkspaces:\n", filepath.Dir(dir))+workspaceConfig("shop", "    sources: [{name: ads, source: plainvendor}]\n"))
	spend := func() string {
		s.drain()
		return strings.Join(s.query(t, `SELECT toInt64(sum(spend) * 100) FROM throughline.channel_daily WHERE model = 'linear' AND date_basis = 'touch'`), " ")
	}
	for end := time.Now().Add(time.Minute); ; <-time.After(100 * time.Millisecond) {
		if out, _ := s.command("tail", "dead", "--code", "unmapped", "--source", "ads"); strings.Contains(out, "costs.jq") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("what cannot be mapped is not among the dead letters after a minute")
		}
	}
	if got := spend(); got != "125" {
		t.Errorf("%s cents of the item that is whole", got)
	}
	pulls := asked.Load()
	mapping(".amount // .cost")
	s.hangUp(t, "the sources were read again\t")
	for i := range 2 {
		out, code := s.command("replay", "--workspace", "shop", "--source", "ads")
		if code != 0 || !strings.Contains(out, "1 letters: 1 are whole, 1 events and 0 fetches were sent") {
			t.Errorf("replay %d: exit status %d\n%s", i, code, out)
		}
		if got := spend(); got != "375" {
			t.Errorf("%s cents after replay %d", got, i)
		}
	}
	if a := s.auditClean(); a.Events != 2 {
		t.Errorf("%d events", a.Events)
	}
	if now := asked.Load(); now != pulls {
		t.Errorf("the vendor was asked %d times more", now-pulls)
	}
}
