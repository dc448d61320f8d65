package checks

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

var now = time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)

// guard compiles checks as source.yaml has them.
func guard(t testing.TB, text string, settings map[string]string) *Guard {
	t.Helper()
	var list []Check
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for name := range settings {
		declared[name] = true
	}
	fault := func(path, format string, args ...any) { t.Fatalf("%s: %s", path, fmt.Sprintf(format, args...)) }
	Validate(list, declared, fault)
	return Compile(list, "", func(name string) string { return settings[name] }, fault)
}

// request is one with a form that is signed; change it as a forger would.
func request(change func(*Request)) *Request {
	r := &Request{
		Method: "POST", URL: "https://in.example/v1/sources/x/k?a=1", Path: "/v1/sources/x/k", Query: "a=1&tok=s3cret", Header: http.Header{},
		Body: []byte("b=2&a=1+1&token=s3cret"), Received: now,
	}
	if change != nil {
		change(r)
	}
	return r
}

func header(name, value string) func(*Request) {
	return func(r *Request) { r.Header.Set(name, value) }
}

func TestSecret(t *testing.T) {
	s := map[string]string{"s": "s3cret"}
	for _, row := range []struct {
		name, check string
		change      func(*Request)
		want        Reason
	}{
		{"in a header", "header:X-Token", header("X-Token", "s3cret"), ""},
		{"in a header, another", "header:X-Token", header("X-Token", "s3creT"), WrongSecret},
		{"in a header, longer", "header:X-Token", header("X-Token", "s3cret1"), WrongSecret},
		{"in a header, its beginning", "header:X-Token", header("X-Token", "s3"), WrongSecret},
		{"in no header", "header:X-Token", nil, NoSecret},
		{"in an empty header", "header:X-Token", header("X-Token", ""), NoSecret},
		{"in the query", "query:tok", nil, ""},
		{"not in the query", "query:token", nil, NoSecret},
		{"in the form", "form:token", nil, ""},
		{"in a nested field", "form:auth[application_token]", func(r *Request) { r.Body = []byte("auth%5Bapplication_token%5D=s3cret") }, ""},
		{"in the form, twice", "form:token", func(r *Request) { r.Body = []byte("token=x&token=s3cret") }, WrongSecret},
		{"in JSON", "json:auth.token", func(r *Request) { r.Body = []byte(`{"auth":{"token":"s3cret"}}`) }, ""},
		{"in JSON, a number", "json:auth.token", func(r *Request) { r.Body = []byte(`{"auth":{"token":3}}`) }, WrongSecret},
		{"in JSON, an object", "json:auth", func(r *Request) { r.Body = []byte(`{"auth":{"token":"s3cret"}}`) }, NoSecret},
		{"in JSON that is none", "json:auth", nil, NoSecret},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := guard(t, `[{secret: {in: "`+row.check+`", is: s}}]`, s)
			if got := g.Verify(request(row.change)); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// TestHMAC holds the sums to ones that were made by other programs.
func TestHMAC(t *testing.T) {
	// The vendor's own example (CallRail's documentation), and those of RFC 2202 and RFC 4231, test case 2.
	const jefe = "what do ya want for nothing?"
	for _, row := range []struct{ name, check, header, body string }{
		{"md5", `algorithm: md5, encoding: hex`, "750c783e6ab0b503eaa86e310a5db738", jefe},
		{"sha1", `algorithm: sha1, encoding: hex`, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", jefe},
		{"sha256", `algorithm: sha256, encoding: hex`, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", jefe},
		{"sha256, upper case", `algorithm: sha256, encoding: hex`, "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843", jefe},
		{"sha256 with a prefix", `algorithm: sha256, encoding: hex, prefix: "sha256="`, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", jefe},
		{"sha256 among others", `algorithm: sha256, encoding: hex, split: ",", prefix: "v1="`, "t=12, v1=00,v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", jefe},
		{"sha256 in base64", `algorithm: sha256, encoding: base64`, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", jefe},
		{"sha256 in base64 without padding", `algorithm: sha256, encoding: base64`, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM", jefe},
		{"sha256 in base64url", `algorithm: sha256, encoding: base64url`, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM", jefe},
		{"sha512", `algorithm: sha512, encoding: hex`, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737", jefe},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := guard(t, `[{hmac: {in: "header:Signature", key: k, of: [body], `+row.check+`}}]`, map[string]string{"k": "Jefe"})
			set := func(body, signature string) *Request {
				return request(func(r *Request) { r.Body = []byte(body); r.Header.Set("Signature", signature) })
			}
			if got := g.Verify(set(row.body, row.header)); got != "" {
				t.Errorf("the right one: %s", got)
			}
			if got := g.Verify(set(row.body+" ", row.header)); got != WrongSignature {
				t.Errorf("of other bytes: %q", got)
			}
			if got := g.Verify(set(row.body, strings.Repeat("!", 40))); got != NoSignature {
				t.Errorf("no signature: %q", got)
			}
			if got := g.Verify(set(row.body, row.header[:len(row.header)-4])); got != WrongSignature && got != NoSignature {
				t.Errorf("cut short: %q", got)
			}
			if got := g.Verify(request(nil)); got != NoSignature {
				t.Errorf("none: %q", got)
			}
		})
	}
}

// TestParts names what is signed, in order.
func TestParts(t *testing.T) {
	for _, row := range []struct{ of, want string }{
		{`[body]`, "b=2&a=1+1&token=s3cret"},
		{`[method, url, body, "header:X-Time"]`, "POSThttps://in.example/v1/sources/x/k?a=1b=2&a=1+1&token=s3cret1793527200"},
		{`["text:v0", "text::", timestamp, "text::", body]`, "v0:1793527200:b=2&a=1+1&token=s3cret"},
		{`[path, "text:?", query]`, "/v1/sources/x/k?a=1&tok=s3cret"},
		{`[url, form-sorted]`, "https://in.example/v1/sources/x/k?a=1a1 1b2tokens3cret"},
		{`["form-sorted:=&"]`, "a=1 1&b=2&token=s3cret"},
		{`["query:tok", "form:b", "setting:k"]`, "s3cret2key"},
	} {
		t.Run(row.of, func(t *testing.T) {
			g := guard(t, `[{hmac: {in: "form:sign", algorithm: sha256, encoding: hex, key: k, of: `+row.of+`}}, {window: {in: "header:X-Time", unit: seconds, within: 5m}}]`,
				map[string]string{"k": "key"})
			sign := SignText("sha256", "hex", "key", row.want)
			r := request(func(r *Request) {
				r.Header.Set("X-Time", "1793527200")
				if strings.HasPrefix(row.of, "[url, form-sorted") || strings.Contains(row.of, "form-sorted:") {
					r.Body = append(r.Body, "&sign="+sign...)
				}
			})
			if strings.Contains(row.of, "form-sorted") {
				if got := g.Verify(r); got != "" {
					t.Errorf("%s; the parts are %q", got, row.want)
				}
				return
			}
			// Where the body itself is signed, the signature cannot stand in it.
			g.checks[0].(*signature).of.In = "header:Sign"
			r.Header.Set("Sign", sign)
			if got := g.Verify(r); got != "" {
				t.Errorf("%s; the parts are %q", got, row.want)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	g := guard(t, `[{digest: {in: "query:hash", algorithm: md5, encoding: hex, of: ["form:a", "setting:s"]}}]`, map[string]string{"s": "salt"})
	r := request(func(r *Request) { r.Query = "hash=" + "7d5ca3b56ea6b8e1d5bcd42e8f25a6aa" })
	if got := g.Verify(r); got != WrongSignature {
		t.Errorf("%q", got)
	}
	r.Query = "hash=" + g.Expected(r)
	if got := g.Verify(r); got != "" {
		t.Errorf("%q", got)
	}
}

func TestWindow(t *testing.T) {
	for _, row := range []struct {
		unit, time string
		want       Reason
	}{
		{"seconds", "1793527200", ""},
		{"seconds", "1793526901", ""},
		{"seconds", "1793526899", TooOld},
		{"seconds", "1793527501", TooNew},
		{"seconds", "x", NoTime},
		{"seconds", "", NoTime},
		{"seconds", "-9223372036854775808", TooOld},
		{"seconds", "9223372036854775807", TooNew},
		{"milliseconds", "1793527200123", ""},
		{"milliseconds", "1793527200", TooOld},
		{"rfc3339", "2026-11-01T11:00:00+01:00", ""},
		{"rfc3339", "2026-11-01T11:00:00Z", TooNew},
		{"rfc3339", "yesterday", NoTime},
	} {
		g := guard(t, `[{window: {in: "header:T", unit: `+row.unit+`, within: 5m}}]`, nil)
		if got := g.Verify(request(header("T", row.time))); got != row.want {
			t.Errorf("%s %s: %q, want %q", row.unit, row.time, got, row.want)
		}
	}
}

func TestBasic(t *testing.T) {
	encoded := func(s string) func(*Request) {
		return header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(s)))
	}
	settings := map[string]string{"u": "key", "p": "pass"}
	for _, row := range []struct {
		name, check string
		change      func(*Request)
		want        Reason
	}{
		{"both", `{user: u, password: p}`, encoded("key:pass"), ""},
		{"a wrong password", `{user: u, password: p}`, encoded("key:other"), WrongCredentials},
		{"a wrong user", `{user: u, password: p}`, encoded("k:pass"), WrongCredentials},
		{"a user alone", `{user: u}`, encoded("key:"), ""},
		{"a user alone, with any password", `{user: u}`, encoded("key:x"), ""},
		{"an empty user", `{user: u}`, encoded(":"), WrongCredentials},
		{"none", `{user: u}`, nil, NoCredentials},
		{"another scheme", `{user: u}`, header("Authorization", "Bearer key"), NoCredentials},
		{"no base64", `{user: u}`, header("Authorization", "Basic !"), NoCredentials},
		{"no colon", `{user: u}`, encoded("key"), NoCredentials},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := guard(t, `[{basic: `+row.check+`}]`, settings).Verify(request(row.change)); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestPublicKeys(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pemOf := func(key any) string {
		b, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: b}))
	}
	settings := map[string]string{"hex": hex.EncodeToString(public), "pem": pemOf(public), "rsa": pemOf(&rsaKey.PublicKey)}
	at := strconv.FormatInt(now.Unix(), 10)
	message := at + string(request(nil).Body)
	sum := sha256.Sum256([]byte(message))
	bySHA, err := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, check, signature string }{
		{"ed25519, a key in hex", `ed25519: {key: hex, key_encoding: hex`, hex.EncodeToString(ed25519.Sign(private, []byte(message)))},
		{"ed25519, a key in PEM", `ed25519: {key: pem, key_encoding: pem`, hex.EncodeToString(ed25519.Sign(private, []byte(message)))},
		{"rs256", `rs256: {key: rsa`, hex.EncodeToString(bySHA)},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := guard(t, `[{`+row.check+`, in: "header:Sign", encoding: hex, of: ["header:T", body]}}]`, settings)
			sign := func(change func(*Request)) *Request {
				return request(func(r *Request) {
					r.Header.Set("Sign", row.signature)
					r.Header.Set("T", at)
					if change != nil {
						change(r)
					}
				})
			}
			if got := g.Verify(sign(nil)); got != "" {
				t.Errorf("%q", got)
			}
			for name, change := range map[string]func(*Request){
				"other bytes": func(r *Request) { r.Body = []byte("x") }, "another time": header("T", "1"), "a short one": header("Sign", "00"),
			} {
				if got := g.Verify(sign(change)); got != WrongSignature {
					t.Errorf("%s: %q", name, got)
				}
			}
		})
	}
}

// TestAll: every check must hold, and the first that does not says why.
func TestAll(t *testing.T) {
	g := guard(t, `[{path: true}, {secret: {in: "header:A", is: a}}, {secret: {in: "header:B", is: b}}]`, map[string]string{"a": "1", "b": "2"})
	for _, row := range []struct {
		a, b string
		want Reason
	}{{"1", "2", ""}, {"1", "1", WrongSecret}, {"2", "2", WrongSecret}, {"1", "", NoSecret}} {
		r := request(header("A", row.a))
		r.Header.Set("B", row.b)
		if got := g.Verify(r); got != row.want {
			t.Errorf("%v: %q", row, got)
		}
	}
	for _, reason := range []Reason{NoSecret, WrongSecret, NoSignature, WrongSignature, NoTime, TooOld, TooNew, NoCredentials, WrongCredentials, UnknownKey} {
		if Reasons[reason] == "" {
			t.Errorf("%s is not explained", reason)
		}
	}
}
