package sources

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources/checks"
)

// Answer is what a vendor is told. Nothing here is said before Kafka has what was sent.
type Answer struct {
	// OK is for what was taken: 200 without a body if left out.
	OK Reply `yaml:"ok"`
	// Bad is for what could not be read or mapped. It is kept as a dead letter and need not be sent again, so OK stands if it is left
	// out: many vendors switch a hook off that they see failing.
	Bad *Reply `yaml:"bad"`
	// Forged is the status for what a check did not let in: 401 if left out, or 403 or 404.
	Forged int `yaml:"forged"`
	// Handshakes are requests that want nothing but an answer.
	Handshakes []Handshake `yaml:"handshakes"`
	// Within is how long the vendor waits; beyond it the answer is 503, and the vendor may send again. 10s if left out.
	Within time.Duration `yaml:"within"`
}

// Reply is a response.
type Reply struct {
	Status  int               `yaml:"status"`
	Type    string            `yaml:"type"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
}

// Handshake is a request by which a vendor makes sure that we are who it thinks.
type Handshake struct {
	// Match says which requests it is.
	Match Match `yaml:"match"`
	// Checked: the entry's checks must hold too.
	Checked bool `yaml:"checked"`
	// Token is a text that the request must show (a verification token).
	Token *checks.Secret `yaml:"token"`
	// Echo is the place of a text (query:hub.challenge, json:challenge) that the reply's {echo} stands for. The reply is the text
	// alone if it has no body.
	Echo string `yaml:"echo"`
	// Sign makes {signed} of the echo: its HMAC.
	Sign  *Sign `yaml:"sign"`
	Reply Reply `yaml:"reply"`
}

// Sign is an HMAC that we make.
type Sign struct {
	Algorithm string `yaml:"algorithm"`
	Encoding  string `yaml:"encoding"`
	// Key is the name of the setting that holds the key.
	Key string `yaml:"key"`
}

// Limits of answers.
const (
	DefaultWithin = 10 * time.Second
	MaxWithin     = 60 * time.Second
	// MaxReplyBytes is the largest body of a reply, and MaxEchoBytes the longest text that is echoed.
	MaxReplyBytes = 4 << 10
	MaxEchoBytes  = 1 << 10
	MaxHandshakes = 8
)

func (a *Answer) validate(declared map[string]bool, fault faultFunc) {
	if a.OK.Status == 0 {
		a.OK.Status = http.StatusOK
	}
	a.OK.validate("ok", fault)
	if a.OK.Status < 200 || a.OK.Status > 299 {
		fault("ok.status", "%d is no 2xx", a.OK.Status)
	}
	if a.Bad != nil {
		if a.Bad.Status == 0 {
			a.Bad.Status = http.StatusUnprocessableEntity
		}
		a.Bad.validate("bad", fault)
	}
	if a.Forged == 0 {
		a.Forged = http.StatusUnauthorized
	}
	if !slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, a.Forged) {
		fault("forged", "%d is none of 401, 403 and 404", a.Forged)
	}
	if a.Within == 0 {
		a.Within = DefaultWithin
	}
	if a.Within < 100*time.Millisecond || a.Within > MaxWithin {
		fault("within", "%q is not between 100ms and %s", a.Within, MaxWithin)
	}
	if len(a.Handshakes) > MaxHandshakes {
		fault("handshakes", "are more than %d", MaxHandshakes)
	}
	for i := range a.Handshakes {
		a.Handshakes[i].validate(declared, fault.under(fmt.Sprintf("handshakes[%d]", i)))
	}
}

func (r *Reply) validate(path string, fault faultFunc) {
	if r.Status < 200 || r.Status > 599 {
		fault(path+".status", "%d is no status from 200 to 599", r.Status)
	}
	if len(r.Body) > MaxReplyBytes {
		fault(path+".body", "has %d bytes; %d are allowed", len(r.Body), MaxReplyBytes)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		if strings.ContainsAny(name+r.Headers[name], "\r\n") || name == "" {
			fault(path+".headers", "%q is no header", name)
		}
	}
}

func (h *Handshake) validate(declared map[string]bool, fault faultFunc) {
	if h.Reply.Status == 0 {
		h.Reply.Status = http.StatusOK
	}
	h.Reply.validate("reply", fault)
	h.Match.validate(fault.under("match"))
	if h.Match.Method == "" && h.Match.ContentType == "" && len(h.Match.Values) == 0 {
		fault("match", "matches every request, and no event would come in")
	}
	if h.Echo != "" {
		if _, err := checks.ParseWhere(h.Echo); err != nil {
			fault("echo", "%v", err)
		}
	}
	if h.Token != nil {
		if _, err := checks.ParseWhere(h.Token.In); err != nil {
			fault("token.in", "%v", err)
		}
		if !declared[h.Token.Is] {
			fault("token.is", "%q is none of the settings", h.Token.Is)
		}
	}
	if s := h.Sign; s != nil {
		if h.Echo == "" {
			fault("sign", "needs an echo to sign")
		}
		if !slices.Contains([]string{"md5", "sha1", "sha256", "sha512"}, s.Algorithm) {
			fault("sign.algorithm", "%q is none of md5, sha1, sha256, sha512", s.Algorithm)
		}
		if !slices.Contains([]string{"hex", "base64", "base64url"}, s.Encoding) {
			fault("sign.encoding", "%q is none of hex, base64, base64url", s.Encoding)
		}
		if !declared[s.Key] {
			fault("sign.key", "%q is none of the settings", s.Key)
		}
	}
}

func (m *Match) validate(fault faultFunc) {
	if m.Method != "" && m.Method != http.MethodPost && m.Method != http.MethodGet && m.Method != http.MethodHead {
		fault("method", "%q is none of POST, GET and HEAD", m.Method)
	}
	for _, place := range slices.Sorted(maps.Keys(m.Values)) {
		if _, err := checks.ParseWhere(place); err != nil {
			fault("values", "%v", err)
		}
	}
}
