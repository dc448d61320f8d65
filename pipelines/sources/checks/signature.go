package checks

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// Signature is a signature over parts of the request.
type Signature struct {
	Value `yaml:",inline"`
	// Algorithm is md5, sha1, sha256 or sha512.
	Algorithm string `yaml:"algorithm"`
	// Encoding of the signature: hex, base64 or base64url.
	Encoding string `yaml:"encoding"`
	// Key is the name of the setting that holds the key; KeyEncoding says how: text if left out, hex, base64, or pem.
	Key         string `yaml:"key"`
	KeyEncoding string `yaml:"key_encoding"`
	// Of are the parts that are signed, in their order: body, method, url, path, query, timestamp (the window's), form-sorted,
	// header:Name, query:name, form:name, json:a.b, setting:name, text:….
	Of []string `yaml:"of"`
}

var algorithms = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// signature verifies what was found against what was signed.
type signature struct {
	of     *Signature
	parts  []part
	signed signed
	sum    func() hash.Hash
	valid  func(sum, found []byte) bool
}

func (s *Signature) compile(window *Value, settings Settings, sum func() hash.Hash, valid func(sum, found []byte) bool) verifier {
	v := &signature{of: s, sum: sum, valid: valid, signed: signed{window: window, settings: settings}}
	if name, ok := strings.CutPrefix(s.In, "form:"); ok {
		v.signed.without = name
	}
	for _, name := range s.Of {
		if p, err := parsePart(name); err == nil { // Validate has told
			v.parts = append(v.parts, p)
		}
	}
	return v
}

func (v *signature) verify(r *Request) Reason {
	var found [][]byte
	for _, text := range v.of.find(r) {
		if b, err := decode(text, v.of.Encoding); err == nil {
			found = append(found, b)
		}
	}
	if len(found) == 0 {
		return NoSignature
	}
	h := v.sum()
	for _, p := range v.parts {
		p(h, r, &v.signed)
	}
	sum := h.Sum(nil)
	for _, f := range found {
		if v.valid(sum, f) {
			return ""
		}
	}
	return WrongSignature
}

func (s *Signature) hmac(window *Value, settings Settings, fault func(path, format string, args ...any)) verifier {
	key, err := decode(settings(s.Key), s.KeyEncoding)
	if err != nil || len(key) == 0 {
		fault("key", "setting %s is empty or not in %s", s.Key, s.KeyEncoding)
	}
	algorithm := algorithms[s.Algorithm]
	if algorithm == nil {
		return nil // Validate has told
	}
	return s.compile(window, settings, func() hash.Hash { return hmac.New(algorithm, key) }, hmac.Equal)
}

func (s *Signature) digest(window *Value, settings Settings, fault func(path, format string, args ...any)) verifier {
	for i, p := range s.Of {
		if name, ok := strings.CutPrefix(p, "setting:"); ok && settings(name) == "" {
			fault(fmt.Sprintf("of[%d]", i), "setting %s is empty", name)
		}
	}
	if algorithms[s.Algorithm] == nil {
		return nil
	}
	return s.compile(window, settings, algorithms[s.Algorithm], hmac.Equal)
}

func (s *Signature) ed25519(window *Value, settings Settings, fault func(path, format string, args ...any)) verifier {
	key, err := ed25519Key(settings(s.Key), s.KeyEncoding)
	if err != nil {
		fault("key", "setting %s is no Ed25519 public key: %v", s.Key, err)
		return nil
	}
	return s.compile(window, settings, func() hash.Hash { return &plain{} }, func(message, found []byte) bool { return ed25519.Verify(key, message, found) })
}

func (s *Signature) rs256(window *Value, settings Settings, fault func(path, format string, args ...any)) verifier {
	parsed, err := publicKey(settings(s.Key))
	key, ok := parsed.(*rsa.PublicKey)
	if err != nil || !ok {
		fault("key", "setting %s is no RSA public key in PEM", s.Key)
		return nil
	}
	return s.compile(window, settings, sha256.New, func(sum, found []byte) bool {
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum, found) == nil
	})
}

func ed25519Key(text, encoding string) (ed25519.PublicKey, error) {
	if encoding == "pem" {
		parsed, err := publicKey(text)
		if err != nil {
			return nil, err
		}
		key, ok := parsed.(ed25519.PublicKey)
		if !ok {
			return nil, errors.New("it is of another kind")
		}
		return key, nil
	}
	b, err := decode(text, encoding)
	if err == nil && len(b) != ed25519.PublicKeySize {
		err = fmt.Errorf("it has %d bytes", len(b))
	}
	return b, err
}

func publicKey(text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("it is not in PEM")
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}

// decode undoes an encoding; padding may be left out.
func decode(text, encoding string) ([]byte, error) {
	switch encoding {
	case "hex":
		return hex.DecodeString(text)
	case "base64":
		return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	case "base64url":
		return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	}
	return []byte(text), nil
}

// plain collects a message that is signed as it is.
type plain struct{ b []byte }

func (p *plain) Write(b []byte) (int, error) { p.b = append(p.b, b...); return len(b), nil }
func (p *plain) Sum(b []byte) []byte         { return append(b, p.b...) }
func (p *plain) Reset()                      { p.b = nil }
func (p *plain) Size() int                   { return len(p.b) }
func (p *plain) BlockSize() int              { return 1 }

// SignText is the HMAC of a text, encoded.
func SignText(algorithm, encoding, key, text string) string {
	of := algorithms[algorithm]
	if of == nil {
		return ""
	}
	h := hmac.New(of, []byte(key))
	h.Write([]byte(text))
	return encode(h.Sum(nil), encoding)
}

func encode(b []byte, encoding string) string {
	switch encoding {
	case "base64":
		return base64.StdEncoding.EncodeToString(b)
	case "base64url":
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return hex.EncodeToString(b)
}

// Expected is the signature that a request would need, for whoever writes a sample; empty where only the vendor can make it.
func (g *Guard) Expected(r *Request) string {
	for _, c := range g.checks {
		v, ok := c.(*signature)
		if !ok || v.of.Algorithm == "" {
			continue
		}
		h := v.sum()
		for _, p := range v.parts {
			p(h, r, &v.signed)
		}
		return v.of.Prefix + encode(h.Sum(nil), v.of.Encoding)
	}
	return ""
}
