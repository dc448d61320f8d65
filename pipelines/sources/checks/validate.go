package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MaxWindow is the longest that a request may have been on its way.
const MaxWindow = 24 * time.Hour

// Validate reports every fault of a definition's checks, with the path of its field. Declared are the names of its settings.
func Validate(list []Check, declared map[string]bool, fault func(path, format string, args ...any)) {
	if len(list) > MaxChecks {
		fault("checks", "are more than %d", MaxChecks)
	}
	for i := range list {
		c := &list[i]
		path := fmt.Sprintf("checks[%d]", i)
		v := &validator{window: timeOf(list) != nil, declared: declared, fault: fault}
		kinds := []string{}
		for _, k := range []struct {
			name string
			set  bool
		}{
			{"path", c.Path},
			{"secret", c.Secret != nil}, {"hmac", c.HMAC != nil}, {"digest", c.Digest != nil}, {"window", c.Window != nil},
			{"basic", c.Basic != nil}, {"ed25519", c.Ed25519 != nil}, {"rs256", c.RS256 != nil},
		} {
			if k.set {
				kinds = append(kinds, k.name)
			}
		}
		if len(kinds) != 1 {
			fault(path, "must be just one of path, secret, hmac, digest, window, basic, ed25519 and rs256; it is %q", strings.Join(kinds, ", "))
			continue
		}
		v.path = path + "." + kinds[0] + "."
		switch {
		case c.Secret != nil:
			v.value(&c.Secret.Value)
			v.setting("is", c.Secret.Is)
		case c.HMAC != nil:
			v.signature(c.HMAC, true)
			v.setting("key", c.HMAC.Key)
		case c.Digest != nil:
			v.digest(c.Digest)
		case c.Window != nil:
			v.value(&c.Window.Value)
			v.oneOf("unit", c.Window.Unit, "seconds", "milliseconds", "rfc3339")
			if c.Window.Within <= 0 || c.Window.Within > MaxWindow {
				v.add("within", "%q is not between 0 and %s", c.Window.Within, MaxWindow)
			}
		case c.Basic != nil:
			if c.Basic.User == "" && c.Basic.Password == "" {
				v.add("user", "needs a user, a password or both")
			}
			for name, s := range map[string]string{"user": c.Basic.User, "password": c.Basic.Password} {
				if s != "" {
					v.setting(name, s)
				}
			}
		case c.Ed25519 != nil:
			v.signature(c.Ed25519, false)
			v.setting("key", c.Ed25519.Key)
			v.oneOf("key_encoding", c.Ed25519.KeyEncoding, "hex", "base64", "pem")
		case c.RS256 != nil:
			v.signature(c.RS256, false)
			v.setting("key", c.RS256.Key)
		}
	}
}

// MaxChecks bounds what a stranger's request costs.
const MaxChecks = 8

type validator struct {
	path     string
	window   bool
	declared map[string]bool
	fault    func(path, format string, args ...any)
}

func (v *validator) add(field, format string, args ...any) { v.fault(v.path+field, format, args...) }

func (v *validator) setting(field, name string) {
	if !v.declared[name] {
		v.add(field, "%q is none of the settings", name)
	}
}

func (v *validator) oneOf(field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		v.add(field, "%q is none of %s", value, strings.Join(allowed, ", "))
	}
}

func (v *validator) value(at *Value) {
	if _, err := parseWhere(at.In); err != nil {
		v.add("in", "%v", err)
	}
}

func (v *validator) signature(s *Signature, keyed bool) {
	v.value(&s.Value)
	v.oneOf("encoding", s.Encoding, "hex", "base64", "base64url")
	if keyed {
		v.oneOf("algorithm", s.Algorithm, "md5", "sha1", "sha256", "sha512")
		v.oneOf("key_encoding", s.KeyEncoding, "", "text", "hex", "base64")
	} else if s.Algorithm != "" {
		v.add("algorithm", "is known: leave it out")
	}
	if len(s.Of) == 0 {
		v.add("of", "names nothing that is signed")
	}
	for i, part := range s.Of {
		field := fmt.Sprintf("of[%d]", i)
		if _, err := parsePart(part); err != nil {
			v.add(field, "%v", err)
		}
		if part == "timestamp" && !v.window {
			v.add(field, "is the time of a window check, and there is none")
		}
		if name, ok := strings.CutPrefix(part, "setting:"); ok {
			v.setting(field, name)
		}
	}
}

func (v *validator) digest(s *Signature) {
	v.signature(s, true)
	if s.Key != "" {
		v.add("key", "a digest has none: name a secret among its parts, as setting:name")
	}
	if !slices.ContainsFunc(s.Of, func(p string) bool { return strings.HasPrefix(p, "setting:") }) {
		v.add("of", "has no secret: anybody could make this digest. Name one, as setting:name")
	}
}

// Kind is what a check is, as source.yaml names it.
func (c *Check) Kind() string {
	switch {
	case c.Path:
		return "the key in the address"
	case c.Secret != nil:
		return "secret"
	case c.HMAC != nil:
		return "hmac"
	case c.Digest != nil:
		return "digest"
	case c.Window != nil:
		return "window"
	case c.Basic != nil:
		return "basic"
	case c.Ed25519 != nil:
		return "ed25519"
	case c.RS256 != nil:
		return "rs256"
	}
	return ""
}
