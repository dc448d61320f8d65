package checks

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestFaultsOfADefinition(t *testing.T) {
	for _, row := range []struct{ name, check, want string }{
		{"none", `{}`, `checks[0]: must be just one of`},
		{"two", `{path: true, basic: {user: s}}`, `checks[0]: must be just one of`},
		{"no place", `{secret: {in: "cookie:x", is: s}}`, `checks[0].secret.in: "cookie:x"`},
		{"no setting", `{secret: {in: "header:x", is: t}}`, `checks[0].secret.is: "t" is none of the settings`},
		{"no algorithm", `{hmac: {in: "header:x", algorithm: crc, encoding: hex, key: s, of: [body]}}`, `checks[0].hmac.algorithm: "crc"`},
		{"no encoding", `{hmac: {in: "header:x", algorithm: md5, key: s, of: [body]}}`, `checks[0].hmac.encoding: ""`},
		{"nothing signed", `{hmac: {in: "header:x", algorithm: md5, encoding: hex, key: s}}`, `checks[0].hmac.of: names nothing`},
		{"no part", `{hmac: {in: "header:x", algorithm: md5, encoding: hex, key: s, of: [bodi]}}`, `checks[0].hmac.of[0]: "bodi"`},
		{"no window", `{hmac: {in: "header:x", algorithm: md5, encoding: hex, key: s, of: [timestamp]}}`, `checks[0].hmac.of[0]: is the time of a window check`},
		{"a digest of anybody", `{digest: {in: "header:x", algorithm: md5, encoding: hex, of: [body]}}`, `checks[0].digest.of: has no secret`},
		{"a digest with a key", `{digest: {in: "header:x", algorithm: md5, encoding: hex, key: s, of: ["setting:s"]}}`, `checks[0].digest.key: a digest has none`},
		{"no unit", `{window: {in: "header:x", within: 5m}}`, `checks[0].window.unit: ""`},
		{"a window of a year", `{window: {in: "header:x", unit: seconds, within: 9000h}}`, `checks[0].window.within`},
		{"nobody", `{basic: {}}`, `checks[0].basic.user: needs a user`},
		{"no key encoding", `{ed25519: {in: "header:x", encoding: hex, key: s, of: [body]}}`, `checks[0].ed25519.key_encoding: ""`},
		{"an algorithm that is known", `{rs256: {in: "header:x", algorithm: sha1, encoding: hex, key: s, of: [body]}}`, `checks[0].rs256.algorithm: is known`},
	} {
		t.Run(row.name, func(t *testing.T) {
			var c Check
			if err := yaml.Unmarshal([]byte(row.check), &c); err != nil {
				t.Fatal(err)
			}
			var all []string
			Validate([]Check{c}, map[string]bool{"s": true}, func(path, format string, args ...any) {
				all = append(all, path+": "+fmt.Sprintf(format, args...))
			})
			if got := strings.Join(all, "\n"); !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestFaultsOfSettings: a key that is missing or no key is told before anything is sent.
func TestFaultsOfSettings(t *testing.T) {
	for _, row := range []struct{ check, want string }{
		{`{secret: {in: "header:x", is: s}}`, `checks[0].secret.is: setting s is empty`},
		{`{hmac: {in: "header:x", algorithm: md5, encoding: hex, key: s, of: [body]}}`, `checks[0].hmac.key: setting s is empty`},
		{`{hmac: {in: "header:x", algorithm: md5, encoding: hex, key: bad, key_encoding: hex, of: [body]}}`, `checks[0].hmac.key: setting bad is empty or not in hex`},
		{`{digest: {in: "header:x", algorithm: md5, encoding: hex, of: ["setting:s"]}}`, `checks[0].digest.of[0]: setting s is empty`},
		{`{basic: {user: s}}`, `checks[0].basic.user: setting s is empty`},
		{`{ed25519: {in: "header:x", encoding: hex, key: bad, key_encoding: hex, of: [body]}}`, `checks[0].ed25519.key: setting bad is no Ed25519`},
		{`{rs256: {in: "header:x", encoding: hex, key: bad, of: [body]}}`, `checks[0].rs256.key: setting bad is no RSA`},
	} {
		var c Check
		if err := yaml.Unmarshal([]byte(row.check), &c); err != nil {
			t.Fatal(err)
		}
		var all []string
		Compile([]Check{c}, "", func(name string) string { return map[string]string{"bad": "not a key"}[name] }, func(path, format string, args ...any) {
			all = append(all, path+": "+fmt.Sprintf(format, args...))
		})
		if got := strings.Join(all, "\n"); !strings.Contains(got, row.want) || strings.Contains(got, "not a key") {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}

// FuzzVerify: whatever a stranger sends is not let in, and ends nothing.
func FuzzVerify(f *testing.F) {
	g := guard(f, `[
		{hmac: {in: "form:sign", algorithm: sha256, encoding: base64url, key: k, split: ",", prefix: "v1=", of: [method, url, timestamp, "form-sorted:=&", "json:a.b"]}},
		{window: {in: "header:T", unit: seconds, within: 5m}},
		{basic: {user: k}}]`, map[string]string{"k": "a long key that nobody guesses"})
	f.Add([]byte("sign=v1=aaa,v1=bbb&a=1&%zz=2"), "t=1", "1793527200")
	f.Add([]byte(`{"a":{"b":[[[`), "", "")
	f.Fuzz(func(t *testing.T, body []byte, query, at string) {
		r := request(func(r *Request) {
			r.Body, r.Query, r.Header = body, query, http.Header{"T": {at}, "Authorization": {at}}
		})
		if g.Verify(r) == "" {
			t.Error("it was let in")
		}
	})
}
