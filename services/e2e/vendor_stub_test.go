package e2e

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// stubVendor stands for every vendor that is asked: to the requests that the samples' definitions make it answers what the samples say.
// What a workspace asks begins with its name.
type stubVendor struct {
	t      *testing.T
	server *httptest.Server

	mu sync.Mutex
	// pulled are the answers to pulls, fetched those of each hook's sample: another hook of the same deal finds the deal changed.
	pulled  map[string][]byte
	fetched map[string]*fetchedSample // workspace/sample
	current map[string]*fetchedSample // of a workspace
	unknown map[string]bool
}

// fetchedSample is what is asked for one hook; missing is what was not asked yet since the hook was sent.
type fetchedSample struct {
	answers, missing map[string][]byte
	done             chan struct{}
}

// newStubVendor starts it. What is asked of a host that no setting leads here is asked of it as a proxy, and refused: a test asks nobody
// else.
func newStubVendor(t *testing.T) *stubVendor {
	t.Helper()
	s := &stubVendor{t: t, pulled: map[string][]byte{}, fetched: map[string]*fetchedSample{}, current: map[string]*fetchedSample{}, unknown: map[string]bool{}}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, s.server.URL) // of the program under test; this machine itself is never asked through a proxy
	}
	return s
}

func (s *stubVendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	form, _ := url.ParseQuery(string(body)) // what is no form has no grant
	asked := key(r.Method, r.URL, body)
	workspace, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	var answer []byte
	ok := false
	if f := s.current[workspace]; f != nil {
		if answer, ok = f.answers[asked]; ok {
			f.asked(asked)
		}
	}
	if !ok {
		answer, ok = s.pulled[asked]
	}
	switch {
	case form.Get("grant_type") == "refresh_token":
		w.Header().Set("Content-Type", "application/json")
		answer = []byte(`{"access_token":"of-the-stub","token_type":"Bearer","expires_in":3600}`)
	case !ok:
		s.unknown[asked] = true
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(answer) // who asked may be gone
}

func (f *fetchedSample) asked(request string) {
	if len(f.missing) == 0 {
		return
	}
	if delete(f.missing, request); len(f.missing) == 0 {
		close(f.done)
	}
}

// momentForm is a time to the millisecond: some requests name when they are made.
var momentForm = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

// key is a request as text.
func key(method string, u *url.URL, body []byte) string {
	return momentForm.ReplaceAllString(method+" "+u.RequestURI()+" "+string(body), "now")
}

// during sends a hook and answers what is asked for it, until all of that was asked.
func (s *stubVendor) during(t *testing.T, workspace, sample string, send func()) {
	t.Helper()
	s.mu.Lock()
	f := s.fetched[workspace+"/"+sample]
	if f != nil {
		f = &fetchedSample{f.answers, maps.Clone(f.missing), make(chan struct{})}
	}
	s.current[workspace] = f
	s.mu.Unlock()
	send()
	if f == nil || len(f.answers) == 0 {
		return
	}
	select {
	case <-f.done:
	case <-time.After(time.Minute):
		s.mu.Lock()
		defer s.mu.Unlock()
		t.Errorf("%s: nobody asked %s", sample, slices.Sorted(maps.Keys(f.missing)))
	}
}

// lead makes a source's settings that name a vendor's address lead to the stub.
func (s *stubVendor) lead(source *sources.Source, workspace string, settings map[string]any) {
	done := map[string]bool{}
	for _, r := range remotes(source) {
		names := r.Hosts
		if r.Auth != nil {
			names = append(slices.Clone(names), r.Auth.TokenURL)
		}
		for _, name := range names {
			name, ok := strings.CutPrefix(name, "setting:")
			if !ok || done[name] {
				continue
			}
			done[name] = true
			text, _ := settings[name].(string)
			if text == "" {
				text, _ = source.Settings[name].Default.(string)
			}
			if u, err := url.Parse(text); err == nil && text != "" {
				settings[name] = s.server.URL + "/" + workspace + u.Path
			}
		}
	}
}

func remotes(source *sources.Source) (list []*sources.Remote) {
	for i := range source.Entries {
		if e := &source.Entries[i]; e.Fetch != nil {
			list = append(list, &e.Fetch.Remote)
		} else if e.Pull != nil {
			list = append(list, &e.Pull.Remote)
		}
	}
	return list
}

// learn takes what the vendor answered in the samples of a workspace's instance. Of a pull it is the answer for any of these days; an
// account or a pull that the ledger does not send is answered with nothing.
func (s *stubVendor) learn(v *shipped, i *sources.Instance) {
	for _, blank := range []bool{false, true} {
		for _, name := range v.names() {
			sample := v.samples[name]
			r, e, err := sample.Sent(v.Source)
			if err != nil {
				s.t.Fatal(err)
			}
			vars := i.Variables(e, sample.Received)
			l := &lesson{s: s, v: v, sample: sample, into: s.pulled, blank: blank}
			switch {
			case e.Kind == sources.Pulled && (blank || slices.Contains(v.ledger.Send, name)):
				l.read = &e.Read
				for _, vars := range l.pulls(i, e, vars) {
					l.requests(e.Pull.Requests, nil, vars)
				}
			case e.Fetch != nil && !blank && slices.Contains(v.ledger.Send, name):
				f := &fetchedSample{answers: map[string][]byte{}, missing: map[string][]byte{}}
				s.fetched[i.Workspace.Name+"/"+name] = f
				l.into, l.must = f.answers, f.missing
				vars.Request = i.Request(e, r)
				in := items.Input{Body: bytes.NewReader(r.Body), ContentType: r.Header.Get("Content-Type"), Query: r.Query, Limits: items.Hook}
				for item, err := range e.Read.Read(in) {
					if err != nil {
						continue // it is a dead letter, and nothing is asked for it
					}
					vars.Envelope = item.Envelope
					l.requests(e.Fetch.Requests, item.Value, vars)
				}
			}
		}
	}
}

// names are a vendor's samples, those that are sent first.
func (v *shipped) names() []string {
	list := slices.Clone(v.ledger.Send)
	for name := range v.samples {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}
