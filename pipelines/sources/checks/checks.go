// Package checks tells who may send: what a source asks of a request before anything of it is read.
//
// It promises that a request passes only if every check holds, that secrets and signatures are compared in constant time and on the
// bytes as they came, and that nothing of a request is kept. A failure has a reason of a closed list and quotes nothing.
package checks

import (
	"fmt"
	"net/http"
	"time"
)

// Request is what is checked.
type Request struct {
	Method string
	// URL is the whole address as the sender knows it.
	URL string
	// Path and Query are its parts, as they came.
	Path, Query string
	Header      http.Header
	// Body is what came, byte for byte, after Content-Encoding was undone.
	Body     []byte
	Received time.Time
}

// Check is one entry of `checks` in source.yaml: just one of the fields is set.
type Check struct {
	// Path says that the secret is the key in the address, which every request must show anyway: it must then be a long one.
	Path bool `yaml:"path"`
	// Secret is a text that the sender shows.
	Secret *Secret `yaml:"secret"`
	// HMAC is a signature by a shared key. Digest is a hash over parts of which one is a secret (setting:name).
	HMAC   *Signature `yaml:"hmac"`
	Digest *Signature `yaml:"digest"`
	// Window lets in what was sent a short time ago: against replay.
	Window *Window `yaml:"window"`
	// Basic is HTTP's.
	Basic *Basic `yaml:"basic"`
	// Ed25519 and RS256 are signatures by a key of which we have the public half.
	Ed25519 *Signature `yaml:"ed25519"`
	RS256   *Signature `yaml:"rs256"`
}

// Reason says why a request was not let in.
type Reason string

// The reasons.
const (
	NoSecret         Reason = "no_secret"
	WrongSecret      Reason = "wrong_secret"
	NoSignature      Reason = "no_signature"
	WrongSignature   Reason = "wrong_signature"
	NoTime           Reason = "no_time"
	TooOld           Reason = "too_old"
	TooNew           Reason = "too_new"
	NoCredentials    Reason = "no_credentials"
	WrongCredentials Reason = "wrong_credentials"
	// UnknownKey is the door's: the address names no source of any workspace.
	UnknownKey Reason = "unknown_key"
)

// Reasons says of each what it means.
var Reasons = map[Reason]string{
	NoSecret:         "The secret is missing.",
	WrongSecret:      "The secret is another one.",
	NoSignature:      "The signature is missing or not encoded as the vendor does.",
	WrongSignature:   "The signature is of another key or of other bytes.",
	NoTime:           "The time of sending is missing or no time.",
	TooOld:           "It was sent too long ago: a replay, or a clock that is wrong.",
	TooNew:           "It was sent in the future: a clock is wrong.",
	NoCredentials:    "There are no Basic credentials.",
	WrongCredentials: "The Basic credentials are other ones.",
	UnknownKey:       "The key in the address is no source's.",
}

// MinPathKey is the shortest key in the address that may be the only secret.
const MinPathKey = 16

// Guard is the checks of one source of one workspace, with their keys.
type Guard struct {
	checks []verifier
	// unchecked is why there are none.
	unchecked string
}

type verifier interface {
	verify(*Request) Reason // empty: it holds
}

// Verify is the reason of the first check that does not hold; empty if all do.
func (g *Guard) Verify(r *Request) Reason {
	for _, c := range g.checks {
		if reason := c.verify(r); reason != "" {
			return reason
		}
	}
	return ""
}

// Open is why nothing is checked; empty if something is.
func (g *Guard) Open() string { return g.unchecked }

// Settings gives a workspace's settings, by name, as text.
type Settings func(name string) string

// Compile makes a guard. Every fault is told with the path of its field.
func Compile(list []Check, unchecked string, settings Settings, fault func(path, format string, args ...any)) *Guard {
	g := &Guard{unchecked: unchecked}
	window := timeOf(list)
	for i := range list {
		path := fmt.Sprintf("checks[%d].", i)
		v := list[i].compile(window, settings, func(at, format string, args ...any) { fault(path+at, format, args...) })
		if v != nil {
			g.checks = append(g.checks, v)
		}
	}
	return g
}

// timeOf is where the window's time stands, which a signature names as timestamp.
func timeOf(list []Check) *Value {
	for i := range list {
		if list[i].Window != nil {
			return &list[i].Window.Value
		}
	}
	return nil
}

func (c *Check) compile(window *Value, settings Settings, fault func(path, format string, args ...any)) verifier {
	at := func(kind string) func(path, format string, args ...any) {
		return func(path, format string, args ...any) { fault(kind+"."+path, format, args...) }
	}
	switch {
	case c.Secret != nil:
		return c.Secret.compile(settings, at("secret"))
	case c.HMAC != nil:
		return c.HMAC.hmac(window, settings, at("hmac"))
	case c.Digest != nil:
		return c.Digest.digest(window, settings, at("digest"))
	case c.Window != nil:
		return c.Window
	case c.Basic != nil:
		return c.Basic.compile(settings, at("basic"))
	case c.Ed25519 != nil:
		return c.Ed25519.ed25519(window, settings, at("ed25519"))
	case c.RS256 != nil:
		return c.RS256.rs256(window, settings, at("rs256"))
	}
	return nil // path: whoever found the source has shown it
}
