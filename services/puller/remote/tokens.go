package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/throughline-io/throughline/pipelines/sources"
)

// Token is what is kept of an OAuth 2 grant. It opens the vendor's door: whoever keeps it keeps it sealed.
type Token struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh"`
	Expires time.Time `json:"expires,omitzero"`
	// Of names the refresh token of the configuration that this one descends from: a new one there makes a new beginning.
	Of string `json:"of"`
}

// early is how long before its end a token is not used any more.
const early = time.Minute

// tokens gives tokens to ask with. One caller at a time renews: a vendor that gives a new refresh token each time takes the old one back.
type tokens struct {
	vendor *Vendor
	auth   *sources.Auth
	client *http.Client

	mu      sync.Mutex
	loaded  bool
	current Token
}

func newTokens(v *Vendor, auth *sources.Auth) *tokens {
	return &tokens{vendor: v, auth: auth, client: &http.Client{
		Transport: bounded{v.options.Transport}, Timeout: sources.DefaultTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("the address of tokens redirects") },
	}}
}

// get is a token that is good for a while.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.load()
	if t.current.Access != "" && (t.current.Expires.IsZero() || time.Until(t.current.Expires) > early) {
		return t.current.Access, nil
	}
	fresh, err := t.renew(ctx)
	if err != nil {
		return "", err
	}
	// Written down before it is used: the vendor may have taken the old refresh token back already. A crash between its answer and
	// here loses the grant where the vendor does so, and somebody has to grant it again.
	if t.vendor.options.Keep != nil {
		if err := t.vendor.options.Keep(ctx, t.auth.RefreshToken, fresh); err != nil {
			return "", fmt.Errorf("keep a token: %w", err)
		}
	}
	t.current = fresh
	return fresh.Access, nil
}

// load takes what was kept, once.
func (t *tokens) load() {
	if t.loaded {
		return
	}
	t.loaded = true
	given := t.vendor.instance.Setting(t.auth.RefreshToken)
	t.current = Token{Refresh: given, Of: nameOf(given)}
	if t.vendor.options.Kept == nil {
		return
	}
	if kept, ok := t.vendor.options.Kept(t.auth.RefreshToken); ok && kept.Of == t.current.Of {
		t.current = kept
	}
}

// nameOf tells refresh tokens apart without holding them.
func nameOf(token string) string {
	sum := sha256.Sum256([]byte("throughline refresh token\x00" + token))
	return hex.EncodeToString(sum[:8])
}

// forget gives up a token that the vendor did not take.
func (t *tokens) forget(used string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current.Access == used {
		t.current.Access = ""
	}
}

func (t *tokens) renew(ctx context.Context) (Token, error) {
	setting := t.vendor.instance.Setting
	address := t.auth.TokenURL
	if name, ok := strings.CutPrefix(address, "setting:"); ok {
		address = setting(name)
	}
	style := oauth2.AuthStyleInParams
	if t.auth.InHeader {
		style = oauth2.AuthStyleInHeader
	}
	cfg := oauth2.Config{
		ClientID: setting(t.auth.ClientID), ClientSecret: setting(t.auth.ClientSecret), Scopes: t.auth.Scopes,
		Endpoint: oauth2.Endpoint{TokenURL: address, AuthStyle: style},
	}
	got, err := cfg.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, t.client), &oauth2.Token{RefreshToken: t.current.Refresh}).Token()
	if err != nil {
		return Token{}, errors.Join(ctx.Err(), noToken(address, err))
	}
	fresh := Token{Access: got.AccessToken, Refresh: got.RefreshToken, Expires: got.Expiry, Of: t.current.Of}
	if fresh.Refresh == "" {
		fresh.Refresh = t.current.Refresh
	}
	return fresh, nil
}

// noToken sorts why there is none. What the vendor said is left out: it may repeat what it was sent.
func noToken(address string, err error) error {
	var said *oauth2.RetrieveError
	if !errors.As(err, &said) || said.Response == nil {
		return noAnswer(address, err)
	}
	status := said.Response.StatusCode
	f := &Failure{
		Reason: Unauthorized, Status: http.StatusForbidden, After: retryAfter(said.Response.Header, time.Now()),
		Err: fmt.Errorf("no token: %d %s", status, excerpt([]byte(said.ErrorCode))),
	}
	if status == http.StatusTooManyRequests || status >= 500 {
		f.Reason, f.Status, f.Passing = Away, status, true
	}
	return f
}

// bounded bounds the answers of a transport.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxTokenBytes)
	}
	return res, err
}
