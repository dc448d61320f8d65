package checks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Secret is a text that the sender shows.
type Secret struct {
	Value `yaml:",inline"`
	// Is is the name of the setting that holds it.
	Is string `yaml:"is"`
}

type secret struct {
	at *Value
	is [sha256.Size]byte
}

func (s *Secret) compile(settings Settings, fault func(path, format string, args ...any)) verifier {
	is := settings(s.Is)
	if is == "" {
		fault("is", "setting %s is empty: anybody could send", s.Is)
	}
	return &secret{&s.Value, sha256.Sum256([]byte(is))}
}

func (s *secret) verify(r *Request) Reason {
	found := s.at.find(r)
	for _, f := range found {
		if same(f, s.is) {
			return ""
		}
	}
	if len(found) == 0 {
		return NoSecret
	}
	return WrongSecret
}

// same compares hashes of one length, so that the time it takes tells a guesser nothing.
func same(text string, is [sha256.Size]byte) bool {
	sum := sha256.Sum256([]byte(text))
	return hmac.Equal(sum[:], is[:])
}

// Basic is HTTP's Basic authentication: the names of the settings that hold user and password. One that is left out may be anything.
type Basic struct {
	User     string `yaml:"user"`
	Password string `yaml:"password"`
}

type basic struct {
	of             *Basic
	user, password [sha256.Size]byte
}

func (b *Basic) compile(settings Settings, fault func(path, format string, args ...any)) verifier {
	for field, name := range map[string]string{"user": b.User, "password": b.Password} {
		if name != "" && settings(name) == "" {
			fault(field, "setting %s is empty", name)
		}
	}
	return &basic{b, sha256.Sum256([]byte(settings(b.User))), sha256.Sum256([]byte(settings(b.Password)))}
}

func (b *basic) verify(r *Request) Reason {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Basic") {
		return NoCredentials
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
	user, password, ok := strings.Cut(string(text), ":")
	if err != nil || !ok {
		return NoCredentials
	}
	userOK := same(user, b.user) || b.of.User == ""
	passwordOK := same(password, b.password) || b.of.Password == ""
	if !userOK || !passwordOK {
		return WrongCredentials
	}
	return ""
}

// Window lets in what was sent a short time ago.
type Window struct {
	Value `yaml:",inline"`
	// Unit of the time: seconds or milliseconds since 1970, or rfc3339.
	Unit string `yaml:"unit"`
	// Within is how far the time may be from ours, either way.
	Within time.Duration `yaml:"within"`
}

// maxUnix is further away than any window, in seconds and in milliseconds.
const maxUnix = 1 << 46

func (w *Window) verify(r *Request) Reason {
	found := w.find(r)
	if len(found) == 0 {
		return NoTime
	}
	var sent time.Time
	if w.Unit == "rfc3339" {
		t, err := time.Parse(time.RFC3339Nano, found[0])
		if err != nil {
			return NoTime
		}
		sent = t
	} else {
		n, err := strconv.ParseInt(found[0], 10, 64)
		if err != nil {
			return NoTime
		}
		n = max(-maxUnix, min(maxUnix, n)) // what is further away overflows, and is wrong either way
		sent = time.Unix(n, 0)
		if w.Unit == "milliseconds" {
			sent = time.UnixMilli(n)
		}
	}
	switch age := r.Received.Sub(sent); {
	case age > w.Within:
		return TooOld
	case age < -w.Within:
		return TooNew
	}
	return ""
}

// Verify is a secret that is checked on its own.
func (s *Secret) Verify(r *Request, settings Settings) Reason {
	is := settings(s.Is)
	if is == "" {
		return WrongSecret
	}
	return (&secret{&s.Value, sha256.Sum256([]byte(is))}).verify(r)
}
