package sources

import (
	"net/http"
	"strings"

	"github.com/throughline-io/throughline/pipelines/sources/checks"
)

// Webhook is the entry that takes a request: the one named in the address, or the first that matches.
func (s *Source) Webhook(r *checks.Request, named string) (*Entry, bool) {
	for i := range s.Entries {
		e := &s.Entries[i]
		if e.Kind != Webhook || named != "" && e.Name != named {
			continue
		}
		if named != "" || e.Match.matches(r) {
			return e, true
		}
	}
	return nil, false
}

func (m *Match) matches(r *checks.Request) bool {
	if m == nil {
		return true
	}
	if m.Method != "" && m.Method != r.Method {
		return false
	}
	if m.ContentType != "" {
		mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		if !strings.EqualFold(strings.TrimSpace(mediaType), m.ContentType) {
			return false
		}
	}
	for place, want := range m.Values {
		where, err := checks.ParseWhere(place)
		if err != nil {
			return false
		}
		got, ok := where.Find(r)
		if prefix, pattern := strings.CutSuffix(want, "*"); !ok || pattern && !strings.HasPrefix(got, prefix) || !pattern && got != want {
			return false
		}
	}
	return true
}

// Greeting is the handshake that a request is, if it is one, and what it is answered. A handshake that shows no token or a wrong one
// has a reason.
func (i *Instance) Greeting(e *Entry, r *checks.Request) (reply Reply, reason checks.Reason, ok bool) {
	for n := range e.Answer.Handshakes {
		h := &e.Answer.Handshakes[n]
		if !h.Match.matches(r) {
			continue
		}
		if h.Checked {
			if reason := i.Guard(e).Verify(r); reason != "" {
				return Reply{}, reason, true
			}
		}
		if h.Token != nil {
			if reason := h.Token.Verify(r, i.setting); reason != "" {
				return Reply{}, reason, true
			}
		}
		reply := h.Reply
		if h.Echo == "" {
			return reply, "", true
		}
		echo := ""
		if where, err := checks.ParseWhere(h.Echo); err == nil {
			echo, _ = where.Find(r)
		}
		echo = echo[:min(len(echo), MaxEchoBytes)]
		if reply.Body == "" {
			reply.Body = "{echo}"
		}
		signed := ""
		if h.Sign != nil {
			signed = checks.SignText(h.Sign.Algorithm, h.Sign.Encoding, i.setting(h.Sign.Key), echo)
		}
		reply.Body = strings.NewReplacer("{echo}", echo, "{signed}", signed).Replace(reply.Body)
		if reply.Type == "" {
			reply.Type = "text/plain; charset=utf-8" // never a page: the text is a stranger's
		}
		return reply, "", true
	}
	return Reply{}, "", false
}

// Request is $request: what a program may know of a webhook's request. Credentials are left out, and so is what a check compares.
func (i *Instance) Request(e *Entry, r *checks.Request) map[string]any {
	headers := map[string]any{}
	for name, values := range r.Header {
		if len(values) > 0 && !e.isCredential(name) {
			headers[strings.ToLower(name)] = values[0]
		}
	}
	query := map[string]any{}
	for pair := range strings.SplitSeq(r.Query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if where, err := checks.ParseWhere("query:" + name); err == nil && !e.isCredentialIn("query:"+name) {
			if v, ok := where.Find(r); ok {
				query[name] = v
			}
		}
	}
	path := r.Path
	if i.Key != "" {
		path = strings.ReplaceAll(path, i.Key, "<key>")
	}
	return map[string]any{"method": r.Method, "path": path, "query": query, "headers": headers}
}

func (e *Entry) isCredential(header string) bool {
	switch http.CanonicalHeaderKey(header) {
	case "Authorization", "Proxy-Authorization", "Cookie":
		return true
	}
	return e.isCredentialIn("header:" + header)
}

func (e *Entry) isCredentialIn(place string) bool {
	for i := range e.Checks {
		if c := &e.Checks[i]; c.Secret != nil && strings.EqualFold(c.Secret.In, place) {
			return true
		}
	}
	return false
}
