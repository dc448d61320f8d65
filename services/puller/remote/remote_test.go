package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
	"github.com/throughline-io/throughline/pipelines/workspace"
)

// stub is a vendor: it answers requests without a network, so that time can be fake.
type stub struct {
	answer func(n int, r *http.Request) *http.Response
	asked  []string // method, address and Authorization
	at     []time.Time
}

func (s *stub) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")))
	s.at = append(s.at, time.Now())
	res := s.answer(len(s.asked), r)
	if res == nil {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	res.Request = r
	return res, nil
}

func says(status int, body string, header ...string) *http.Response {
	res := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for i := 0; i+1 < len(header); i += 2 {
		res.Header.Set(header[i], header[i+1])
	}
	return res
}

// pull makes an instance of a source whose one entry is a pull with these fields.
func pull(t *testing.T, fields string) (*sources.Instance, *sources.Entry) {
	t.Helper()
	definition := `
name: stub
title: Stub
settings:
  token: {about: a token, secret: true, default: s3cret}
  id: {about: the client, default: us}
  refresh: {about: a refresh token, secret: true, default: first}
entries:
  - name: things
    kind: pull
    makes: [spend]
    read: {format: json, items: ".items[]"}
    map: "."
    pull:
      every: 1h
      hosts: [api.example, "*.pages.example"]
` + indent(fields, "      ")
	list, err := sources.Load(fstest.MapFS{"stub/source.yaml": {Data: []byte(definition)}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	w := workspace.Workspace{
		Name: "shop", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "pepper", Keys: []workspace.Key{{Name: "k", Secret: "sk_0123456789"}},
		Sources: []workspace.Source{{Name: "ads", Source: "stub"}},
	}
	if err := w.Validate(); err != nil {
		t.Fatal(err)
	}
	set, err := sources.Bind(list, []workspace.Workspace{w})
	if err != nil {
		t.Fatal(err)
	}
	return set.Instances[0], &set.Instances[0].Source.Entries[0]
}

func indent(s, with string) string {
	return with + strings.ReplaceAll(strings.Trim(s, "\n"), "\n", "\n"+with)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return ctx.Err()
	}
}

// all pulls the last request and gives the ids of the items.
func all(ctx context.Context, i *sources.Instance, e *sources.Entry, o Options) (ids []string, err error) {
	a := NewVendor(i, o).Asker(&e.Pull.Remote, sleep)
	r := &e.Pull.Requests[len(e.Pull.Requests)-1]
	err = a.Pages(ctx, r, nil, i.Variables(e, time.Now()), func(b *Body, _ *mapping.Variables) (int, error) {
		return b.Items(&e.Read, r.Name, func(item items.Item, fault error) error {
			if o, ok := item.Value.(map[string]any); ok {
				ids = append(ids, fmt.Sprint(o["id"]))
			}
			return fault
		})
	})
	return ids, err
}

func page(more string, ids ...int) string {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"id":%d}`, id))
	}
	return `{"items":[` + strings.Join(list, ",") + `]` + more + `}`
}

const plain = "requests:\n  - {name: list, request: '{url: \"https://api.example/list\"}'}\n"

func TestPages(t *testing.T) {
	const most = ", most: 6"
	for _, row := range []struct {
		name, request, pages string
		answer               func(n int, r *http.Request) *http.Response
		asked                []string
		ids                  string
		reason               Reason
	}{
		{
			"by number, until one is not full", `{url: "https://api.example/list", query: {p: $page.number, n: $page.size}}`, "kind: page, first: 1, size: 2" + most,
			func(n int, _ *http.Request) *http.Response {
				return says(200, page("", [][]int{{1, 2}, {3, 4}, {5}}[n-1]...))
			},
			[]string{"GET https://api.example/list?n=2&p=1", "GET https://api.example/list?n=2&p=2", "GET https://api.example/list?n=2&p=3"}, "1 2 3 4 5", "",
		},
		{
			"by offset, as long as there is more", `{url: "https://api.example/list", query: {o: $page.offset}}`, `kind: offset, more: .more` + most,
			func(n int, _ *http.Request) *http.Response {
				return says(200, page(fmt.Sprintf(`,"more":%t`, n < 3), [][]int{{1, 2}, {3}, {4}}[n-1]...))
			},
			[]string{"GET https://api.example/list?o=0", "GET https://api.example/list?o=2", "GET https://api.example/list?o=3"}, "1 2 3 4", "",
		},
		{
			"by cursor", `{url: "https://api.example/list", query: {after: $page.cursor}}`, `kind: cursor, next: .next` + most,
			func(n int, _ *http.Request) *http.Response {
				return says(200, page([]string{`,"next":"b"`, ""}[n-1], n))
			},
			[]string{"GET https://api.example/list", "GET https://api.example/list?after=b"}, "1 2", "",
		},
		{
			"by link", `{url: ($page.url // "https://api.example/list?p=1")}`, `kind: link` + most,
			func(n int, _ *http.Request) *http.Response {
				return says(200, page("", n), "Link", []string{`<https://api.example/>; rel="first", <list?p=2>; rel="next"`, `<list?p=1>; rel="prev"`}[n-1])
			},
			[]string{"GET https://api.example/list?p=1", "GET https://api.example/list?p=2"}, "1 2", "",
		},
		{
			"a link elsewhere", `{url: ($page.url // "https://api.example/list?p=1")}`, `kind: link, next: .next` + most,
			func(n int, _ *http.Request) *http.Response {
				return says(200, page(`,"next":"https://api.example.evil.example/list"`, n))
			},
			[]string{"GET https://api.example/list?p=1"}, "1", Elsewhere,
		},
		{
			"pages without an end", `{url: "https://api.example/list", query: {p: $page.number}}`, `kind: page, more: "true"` + most,
			func(n int, _ *http.Request) *http.Response { return says(200, page("", n)) }, nil, "1 2 3 4 5 6", TooMany,
		},
		{
			"a cursor that goes round", `{url: "https://api.example/list", query: {after: $page.cursor}}`, `kind: cursor, next: .next` + most,
			func(n int, _ *http.Request) *http.Response { return says(200, page(`,"next":"a"`, n)) }, nil, "1 2", TooMany,
		},
		{
			"an empty page with more to come", `{url: "https://api.example/list", query: {o: $page.offset}}`, `kind: offset, more: "true"` + most,
			func(int, *http.Request) *http.Response { return says(200, page("")) }, nil, "", TooMany,
		},
		{
			"an error in the middle, that passes", `{url: "https://api.example/list", query: {p: $page.number}}`, "kind: page, size: 1" + most,
			func(n int, _ *http.Request) *http.Response {
				return []*http.Response{says(200, page("", 1)), says(500, "oops"), says(503, ""), says(200, page("", 2)), says(200, page(""))}[n-1]
			},
			nil, "1 2", "",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, e := pull(t, "requests:\n  - name: list\n    request: '"+row.request+"'\n    pages: {"+row.pages+"}\n")
				s := &stub{answer: row.answer}
				ids, err := all(t.Context(), i, e, Options{Transport: s})
				if reasonOf(err) != row.reason || strings.Join(ids, " ") != row.ids || row.asked != nil && !slices.Equal(row.asked, s.asked) {
					t.Errorf("%v\nids %v, want %s\nasked %q\nwant  %q", err, ids, row.ids, s.asked, row.asked)
				}
				if len(s.asked) > 12 {
					t.Errorf("asked %d times", len(s.asked))
				}
			})
		})
	}
}

func reasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	return AsFailure(err).Reason
}

// What passes is tried again, after the pause that the vendor asks for or a growing one; what does not is told at once.
func TestRetries(t *testing.T) {
	const more = plain + "retries: {attempts: 4, first: 1s, longest: 3s, statuses: [403]}\ntimeout: 10s\n"
	ok := says(200, page("", 1))
	for _, row := range []struct {
		name    string
		answers []*http.Response
		reason  Reason
		asked   int
		took    time.Duration
		after   time.Duration
	}{
		{"at once", []*http.Response{ok}, "", 1, 0, 0},
		{"as the vendor says", []*http.Response{says(429, "", "Retry-After", "7"), ok}, "", 2, 7 * time.Second, 0},
		{"at a time that the vendor says", []*http.Response{says(503, "", "Retry-After", "Sat, 01 Jan 2000 00:00:30 GMT"), ok}, "", 2, 30 * time.Second, 0},
		{"with growing pauses", []*http.Response{says(500, ""), says(502, ""), says(504, ""), ok}, "", 4, 6 * time.Second, 0},
		{"a status of the definition's", []*http.Response{says(403, "quota"), ok}, "", 2, time.Second, 0},
		{"until it is enough", []*http.Response{says(500, ""), says(500, ""), says(500, ""), says(500, ""), ok}, Away, 4, 6 * time.Second, 0},
		{"later, if the vendor wants an hour", []*http.Response{says(429, "", "Retry-After", "3600"), ok}, Throttled, 1, 0, time.Hour},
		{"no answer in time", []*http.Response{nil, ok}, "", 2, 11 * time.Second, 0},
		{"refused", []*http.Response{says(400, "bad date"), ok}, Refused, 1, 0, 0},
		{"not let in", []*http.Response{says(401, ""), ok}, Unauthorized, 1, 0, 0},
		{"gone", []*http.Response{says(404, ""), ok}, Refused, 1, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, e := pull(t, more)
				s := &stub{answer: func(n int, _ *http.Request) *http.Response { return row.answers[n-1] }}
				began := time.Now()
				for _, r := range row.answers {
					if r != nil && r == ok {
						*r = *says(200, page("", 1))
					}
				}
				_, err := all(t.Context(), i, e, Options{Transport: s})
				took := time.Since(began)
				if reasonOf(err) != row.reason || len(s.asked) != row.asked || took != row.took {
					t.Errorf("%v after %d requests and %s; want %q after %d and %s", err, len(s.asked), took, row.reason, row.asked, row.took)
				}
				if f := AsFailure(err); row.reason != "" && (f.After != row.after || f.Passing != (row.reason == Away || row.reason == Throttled)) {
					t.Errorf("passing %t, after %s", f.Passing, f.After)
				}
			})
		})
	}
}

// A redirect leads nowhere but to the hosts of the definition, whatever it takes with it.
func TestRedirects(t *testing.T) {
	for _, row := range []struct {
		name, to string
		reason   Reason
		asked    int
	}{
		{"to another page", "/other", "", 2},
		{"to another host that may be asked", "https://a.pages.example/x", "", 2},
		{"elsewhere", "https://evil.example/x", Elsewhere, 1},
		{"to this machine", "http://127.0.0.1:9092/", Elsewhere, 1},
		{"without TLS", "http://api.example/list", Elsewhere, 1},
		{"to a host that only ends alike", "https://evilpages.example/x", Elsewhere, 1},
		{"for ever", "https://api.example/list", Elsewhere, MaxRedirects + 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			i, e := pull(t, plain+"auth: {kind: bearer, token: token}\n")
			s := &stub{answer: func(n int, r *http.Request) *http.Response {
				if r.URL.Path == "/other" || r.URL.Path == "/x" {
					return says(200, page("", 1))
				}
				return says(302, "", "Location", row.to)
			}}
			ids, err := all(t.Context(), i, e, Options{Transport: s})
			if reasonOf(err) != row.reason || len(s.asked) != row.asked || (len(ids) == 1) != (row.reason == "") {
				t.Errorf("%v, ids %v, asked %q", err, ids, s.asked)
			}
		})
	}
}

// endless is a body that never ends, and counts what is read of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}

func (e *endless) Close() error { return nil }

func TestHugeBodies(t *testing.T) {
	for _, row := range []struct {
		name string
		most int64
	}{{"in memory", 1000}, {"in a file", 20 << 20}} {
		t.Run(row.name, func(t *testing.T) {
			i, e := pull(t, plain+fmt.Sprintf("max_bytes: %d\n", row.most))
			body := &endless{}
			s := &stub{answer: func(int, *http.Request) *http.Response {
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: body}
			}}
			_, err := all(t.Context(), i, e, Options{Transport: s})
			if reasonOf(err) != TooLarge || AsFailure(err).Passing || body.read > row.most+64<<10 {
				t.Errorf("%v after %d bytes", err, body.read)
			}
		})
	}
}

// A body that does not fit into memory is read from its file, from the beginning each time.
func TestSpooledBody(t *testing.T) {
	text := page(`,"pad":"`+strings.Repeat("x", memoryBytes)+`"`, 1, 2, 3)
	b, err := readBody(strings.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for range 2 {
		r, err := b.Reader()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != text || b.file == nil || b.size != int64(len(text)) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	if v, err := b.Value(); err != nil || len(v.(map[string]any)["items"].([]any)) != 3 {
		t.Error(err)
	}
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, e := pull(t, "requests:\n  - name: list\n    request: '{url: \"https://api.example/list\"}'\n    pages: {kind: page, size: 1}\nrate: {requests: 2, per: 1s}\n")
		s := &stub{answer: func(n int, _ *http.Request) *http.Response {
			if n == 7 {
				return says(200, page(""))
			}
			return says(200, page("", n))
		}}
		if _, err := all(t.Context(), i, e, Options{Transport: s}); err != nil {
			t.Fatal(err)
		}
		for n := 1; n < len(s.at); n++ {
			if gap := s.at[n].Sub(s.at[n-1]); gap != 500*time.Millisecond {
				t.Errorf("request %d after %s", n, gap)
			}
		}
	})
}

// A report that is being made is waited for, as long as the definition says.
func TestAgain(t *testing.T) {
	const again = "requests:\n  - name: list\n    request: '{url: \"https://api.example/list\"}'\n    again: {status: [201, 202], when: '.state == \"queued\"', after: 10s, header: retryIn, most: 1m}\n"
	for _, row := range []struct {
		name   string
		answer func(n int) *http.Response
		took   time.Duration
		reason Reason
	}{
		{"by status", func(n int) *http.Response { return says(202, "") }, 20 * time.Second, ""},
		{"as long as the header says", func(n int) *http.Response { return says(201, "", "retryIn", "3") }, 6 * time.Second, ""},
		{"by the body", func(n int) *http.Response { return says(200, `{"state":"queued"}`) }, 20 * time.Second, ""},
		{"not in time", nil, 60 * time.Second, NotReady},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, e := pull(t, again)
				s := &stub{answer: func(n int, _ *http.Request) *http.Response {
					switch {
					case row.answer == nil:
						return says(202, "")
					case n < 3:
						return row.answer(n)
					}
					return says(200, page("", 1))
				}}
				began := time.Now()
				ids, err := all(t.Context(), i, e, Options{Transport: s})
				if took := time.Since(began); reasonOf(err) != row.reason || took != row.took || (len(ids) == 1) != (row.reason == "") {
					t.Errorf("%v, %v after %s", ids, err, took)
				}
			})
		})
	}
}

// A 200 that says that it failed, and a 404 that says that there is nothing.
func TestWhatAnswersSay(t *testing.T) {
	const definition = "requests:\n  - name: list\n    request: '{url: \"https://api.example/list\"}'\n    failed: 'if type == \"object\" then .error else null end'\n    absent: [404]\nretries: {attempts: 2, first: 1s, longest: 1s}\n"
	for _, row := range []struct {
		name   string
		answer *http.Response
		asked  int
		reason Reason
	}{
		{"failed for good", says(200, `{"error":"no such account of anna@example.com, +48 501 222 333"}`), 1, Said},
		{"failed for now", says(200, `{"error":"retry: busy"}`), 2, Said},
		{"nothing there", says(404, "<html>"), 1, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, e := pull(t, definition)
				body, _ := io.ReadAll(row.answer.Body)
				s := &stub{answer: func(int, *http.Request) *http.Response { return says(row.answer.StatusCode, string(body)) }}
				ids, err := all(t.Context(), i, e, Options{Transport: s})
				if reasonOf(err) != row.reason || len(s.asked) != row.asked || len(ids) > 0 {
					t.Errorf("%v, asked %d times", err, len(s.asked))
				}
				if err != nil && (strings.Contains(err.Error(), "anna@") || strings.Contains(err.Error(), "501")) {
					t.Errorf("%v tells a client's contacts", err)
				}
			})
		})
	}
}

// vendorOfTokens gives a new refresh token with each token, and takes the old one back.
type vendorOfTokens struct {
	refresh string
	n       int
	grants  []string
}

func (v *vendorOfTokens) answer(_ int, r *http.Request) *http.Response {
	if r.URL.Host != "login.example" {
		if r.Header.Get("Authorization") == fmt.Sprintf("Bearer access-%d", v.n) {
			return says(200, page("", 1))
		}
		return says(401, "")
	}
	body, _ := io.ReadAll(r.Body)
	v.grants = append(v.grants, string(body))
	if !strings.Contains(string(body), "refresh_token="+v.refresh) {
		return says(400, `{"error":"invalid_grant"}`, "Content-Type", "application/json")
	}
	v.n++
	v.refresh = fmt.Sprintf("rotated-%d", v.n)
	return says(200, fmt.Sprintf(`{"access_token":"access-%d","token_type":"bearer","expires_in":3600,"refresh_token":"%s"}`, v.n, v.refresh), "Content-Type", "application/json")
}

const oauth = plain + "auth: {kind: oauth2_refresh, token_url: 'https://login.example/token', client_id: id, client_secret: token, refresh_token: refresh}\n"

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, e := pull(t, oauth)
		v := &vendorOfTokens{refresh: "first"}
		s := &stub{answer: v.answer}
		kept := map[string]Token{}
		o := Options{
			Transport: s, Kept: func(name string) (Token, bool) { k, ok := kept[name]; return k, ok },
			Keep: func(_ context.Context, name string, token Token) error { kept[name] = token; return nil },
		}
		ask := func(tokens int) {
			t.Helper()
			if _, err := all(t.Context(), i, e, o); err != nil || v.n != tokens || kept["refresh"].Refresh != v.refresh {
				t.Fatalf("%v; %d tokens, want %d; kept %+v", err, v.n, tokens, kept)
			}
		}
		ask(1)
		ask(1) // another life: the token that was kept is still good
		_ = sleep(t.Context(), time.Hour)
		ask(2) // its time is over
		// Taken back before its time: the vendor answers 401.
		kept["refresh"] = Token{Access: "stolen", Refresh: v.refresh, Of: kept["refresh"].Of, Expires: time.Now().Add(time.Hour)}
		ask(3)
		i.Settings["refresh"] = "second" // granted anew: what descends from the old grant is no more
		v.refresh = "second"
		ask(4)
		v.refresh = "taken away"
		_ = sleep(t.Context(), time.Hour)
		_, err := all(t.Context(), i, e, o)
		if f := AsFailure(err); f.Reason != Unauthorized || f.Passing || !strings.Contains(err.Error(), "invalid_grant") || strings.Contains(err.Error(), "rotated") {
			t.Errorf("%v", err)
		}
	})
}

// A token that cannot be written down is not used: the next life could not know it.
func TestTokenThatIsNotKept(t *testing.T) {
	i, e := pull(t, oauth)
	v := &vendorOfTokens{refresh: "first"}
	lost := errors.New("no Kafka")
	_, err := all(t.Context(), i, e, Options{Transport: &stub{answer: v.answer}, Keep: func(context.Context, string, Token) error { return lost }})
	if !errors.Is(err, lost) {
		t.Error(err)
	}
}

func TestWhoWeAre(t *testing.T) {
	for _, row := range []struct{ name, auth, address, header, value string }{
		{"bearer", "{kind: bearer, token: token}", "https://api.example/list", "Authorization", "Bearer s3cret"},
		{"header", "{kind: header, token: token, name: X-Key, prefix: 'K '}", "https://api.example/list", "X-Key", "K s3cret"},
		{"query", "{kind: query, token: token, name: key}", "https://api.example/list?key=s3cret", "Authorization", ""},
		{"basic", "{kind: basic, user: id, password: token}", "https://api.example/list", "Authorization", "Basic dXM6czNjcmV0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			i, e := pull(t, plain+"auth: "+row.auth+"\n")
			var got *http.Request
			s := &stub{answer: func(_ int, r *http.Request) *http.Response { got = r; return says(500, "") }}
			e.Pull.Retries.Attempts = 1
			_, err := all(t.Context(), i, e, Options{Transport: s})
			if got.URL.String() != row.address || got.Header.Get(row.header) != row.value {
				t.Errorf("%s %q", got.URL, got.Header)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v tells the secret", err)
			}
		})
	}
}

// $responses of a request that has pages is all of them.
func TestResponse(t *testing.T) {
	i, e := pull(t, "requests:\n  - name: ids\n    request: '{url: \"https://api.example/ids\", query: {p: $page.number}}'\n    read: {format: json, items: \".ids[]\"}\n    pages: {kind: page, size: 2}\n  - {name: list, request: '{url: \"https://api.example/list\"}'}\n")
	s := &stub{answer: func(n int, _ *http.Request) *http.Response {
		return says(200, []string{`{"ids":[1,9007199254740993]}`, `{"ids":[3]}`}[n-1])
	}}
	a := NewVendor(i, Options{Transport: s}).Asker(&e.Pull.Remote, sleep)
	v, err := a.Response(t.Context(), &e.Pull.Requests[0], nil, i.Variables(e, time.Now()))
	b, _ := json.Marshal(v)
	if err != nil || string(b) != "[1,9007199254740993,3]" {
		t.Errorf("%s, %v", b, err)
	}
}
