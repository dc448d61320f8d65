package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const trackerDir = "../collector/tracker"

// browserFor finds what the test of the tracker needs: Node.js, its packages and a Chromium.
func browserFor(t *testing.T) string {
	t.Helper()
	chromium := os.Getenv("CHROMIUM")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && chromium == "" {
			chromium = path
		}
	}
	_, noNode := exec.LookPath("node")
	_, noPackages := os.Stat(filepath.Join(trackerDir, "node_modules", "playwright-core"))
	if chromium == "" || noNode != nil || noPackages != nil {
		missing := fmt.Sprintf("no browser test: Chromium %q, Node.js: %v, packages: %v (`make browser` brings them; $CHROMIUM names another one)", chromium, noNode, noPackages)
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return chromium
}

// site is a shop's, with the tracker on each page.
func site(collector *atomic.Value) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		consent := ""
		if r.URL.Path == "/consent" {
			consent = `data-consent="required"`
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>Shop</title>
<script async src="%s/t.js" data-key="pk_shop" data-pool="site" %s></script>
<a id="call" href="tel:+48220000000"><span id="phone" data-throughline-number>+48 22 000 00 00</span></a>
<a id="telegram" href="https://t.me/shop_bot">Telegram</a> <a id="whatsapp" href="https://wa.me/48220000000?text=Hello">WhatsApp</a>
<a id="facebook" href="https://m.me/shop">Messenger</a> <a id="viber" href="viber://pa?chatURI=shop">Viber</a> <a id="other" href="https://example.com/x?y=1">Other</a>
<input id="email"><button id="send" onclick="throughline.form('test-drive', {email: document.querySelector('#email').value})">Send</button>`, collector.Load(), consent)
	}))
}

type cookie struct {
	Name, SameSite string
	Secure         bool
	Days           int
}

// seen is what the browser saw, as drive.mjs prints it.
type seen struct {
	Buyer struct {
		ID, Phone, Call string
		Links           map[string]string
		Cookies         []cookie
	}
	Refused struct {
		Requests []string
		Cookies  []cookie
		Kept     []string
	}
	Consented struct {
		Before, During, After int
		Kept                  []string
	}
	Private struct {
		Requests []string
		Cookies  []cookie
		ID       string
	}
	Tabs    struct{ Same bool }
	Blocked struct{ Kept int }
	Bot     struct{ Phone string }
}

// TestTracker has a real browser visit a shop's site, then somebody call the number that was shown there and buy: the sale is the
// campaign's of that first click.
func TestTracker(t *testing.T) {
	t.Parallel() // most of it is waiting
	chromium := browserFor(t)
	var collector atomic.Value
	shop := site(&collector)
	defer shop.Close()
	s := newSystem(t, 3, fmt.Sprintf(`workspaces:
  - name: shop
    timezone: Europe/Warsaw
    currency: EUR
    country: PL
    pepper: not-a-secret
    keys: [{name: crm, secret: sk_shop}, {name: site, public: pk_shop, origins: ["%s"]}]
    pools: [{name: site, numbers: ["+48221110001", "+48221110002", "+48221110003", "+48221110004", "+48221110005", "+48221110006", "+48221110007", "+48221110008"], fallback: "+48221119999"}]
`, shop.URL))
	collector.Store("http://" + s.addr.HTTP)
	s.awaitNumbers(shop.URL)

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "drive.mjs")
	node.Dir = trackerDir
	node.Env = append(os.Environ(), "SITE="+shop.URL, "COLLECTOR=http://"+s.addr.HTTP, "CHROMIUM="+chromium)
	var errs bytes.Buffer
	node.Stderr = &errs
	out, err := node.Output()
	if err != nil {
		t.Fatalf("the browser: %v\n%s", err, tail(errs.Bytes()))
	}
	var saw seen
	if err := json.Unmarshal(out, &saw); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Run("pages", func(t *testing.T) { saw.check(t) })

	// The number is called from a phone that nobody knew, and the deal has no other contact.
	number := "+" + strings.NewReplacer("+", "", " ", "").Replace(saw.Buyer.Phone)
	now := time.Now().UTC()
	s.send("sk_shop", []string{
		fmt.Sprintf(`{"id":"c1","type":"call","source":"pbx","time":%q,"call":{"direction":"in","from":"+48501222333","to":%q,"status":"answered"}}`, now.Format(time.RFC3339Nano), number),
		fmt.Sprintf(`{"id":"d1","type":"deal","source":"crm","time":%q,"identities":{"phone":"501 222 333"},"deal":{"id":"7","status":"won","amount":"900.00","currency":"EUR"}}`, now.Add(time.Second).Format(time.RFC3339Nano)),
	}, 10)
	s.drain()
	s.auditClean()
	for query, want := range map[string]string{
		`SELECT channel, source, campaign, toInt64(sum(revenue)) FROM throughline.credits WHERE model = 'last_touch' AND conversion = 'sale' GROUP BY ALL HAVING sum(revenue) != 0`: "Paid Search\tgoogle\tfirst-click\t900",
		`SELECT match, count() FROM throughline.calls GROUP BY ALL`: "matched\t1",
		`SELECT arrayStringConcat(arraySort(groupArray(concat(campaign, ' ', toString(n)))), ', ') FROM
			(SELECT campaign, sum(visits) AS n FROM throughline.channel_daily WHERE model = 'linear' AND date_basis = 'touch' GROUP BY campaign HAVING n > 0)`: "blocked 1, consented 1, first-click 1, tabs 2, tabs-again 1",
		`SELECT type, count() FROM throughline.inquiries GROUP BY ALL ORDER BY ALL`: "call\t1|form\t1",
	} {
		if got := strings.Join(s.query(t, query), "|"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
	}
}

func (saw *seen) check(t *testing.T) {
	b := saw.Buyer
	if !strings.HasPrefix(b.Phone, "+48 22 111 00 0") || b.Call != "tel:+"+strings.NewReplacer("+", "", " ", "").Replace(b.Phone) {
		t.Errorf("number %q, link %q", b.Phone, b.Call)
	}
	for name, want := range map[string]string{
		"telegram": "https://t.me/shop_bot?start=a_" + b.ID, "facebook": "https://m.me/shop?ref=a_" + b.ID, "viber": "viber://pa?chatURI=shop&context=a_" + b.ID,
		"whatsapp": "https://wa.me/48220000000?text=Hello+%28a_" + b.ID + "%29", "other": "https://example.com/x?y=1",
	} {
		if b.Links[name] != want {
			t.Errorf("link %s: %s, want %s", name, b.Links[name], want)
		}
	}
	// Browsers cut a cookie's age at 400 days.
	if len(b.Cookies) != 1 || b.Cookies[0].Name != "_tl" || b.Cookies[0].SameSite != "Lax" || b.Cookies[0].Secure || b.Cookies[0].Days < 399 {
		t.Errorf("cookies %+v", b.Cookies)
	}
	if r := saw.Refused; len(r.Requests)+len(r.Cookies)+len(r.Kept) > 0 {
		t.Errorf("consent was refused: %+v", r)
	}
	if c := saw.Consented; c.Before != 0 || c.During != 1 || c.After != 0 || len(c.Kept) != 0 {
		t.Errorf("consent given and taken back: %+v", c)
	}
	if p := saw.Private; len(p.Requests)+len(p.Cookies) > 0 || p.ID != "" {
		t.Errorf("with Global Privacy Control: %+v", p)
	}
	if !saw.Tabs.Same {
		t.Error("two tabs are two visitors")
	}
	if saw.Blocked.Kept != 1 {
		t.Errorf("of a blocked request %d events are kept", saw.Blocked.Kept)
	}
	if saw.Bot.Phone != "+48 22 111 99 99" {
		t.Errorf("a bot is shown %s", saw.Bot.Phone)
	}
}

// awaitNumbers waits until numbers are given out.
func (s *system) awaitNumbers(origin string) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; <-time.After(20 * time.Millisecond) {
		status, _, err := askNumber(s.t.Context(), "http://"+s.addr.HTTP, origin, "nobody-yet")
		if err == nil && status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("no numbers after 30 s: %d %v", status, err)
		}
	}
}

// askNumber asks for a number of the site's pool as a page does.
func askNumber(ctx context.Context, url, origin, visitor string) (status int, number string, err error) {
	return askNumberOf(ctx, url, "site", origin, visitor)
}

func askNumberOf(ctx context.Context, url, pool, origin, visitor string) (status int, number string, err error) {
	body := `{"pool":"` + pool + `","anonymous_id":"` + visitor + `"}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/numbers/lease?key=pk_shop", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Origin", origin)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	var a struct {
		Number   string
		Fallback bool
	}
	err = json.NewDecoder(res.Body).Decode(&a)
	if a.Fallback {
		a.Number = ""
	}
	return res.StatusCode, a.Number, err
}
