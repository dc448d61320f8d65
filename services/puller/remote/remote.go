// Package remote asks a vendor over HTTP as its source's definition says: who we are, how fast, what is tried again, which pages there
// are. It knows no Kafka, no event and no schedule.
//
// It promises that nobody is asked but the hosts that the definition names, after every redirect and every link to a next page as well;
// that what a vendor answers is bounded in bytes, in pages and in time, by limits that have names; that a token goes nowhere but to
// those hosts; and that every failure says whether it may pass. It repeats requests, so a vendor may be asked the same thing twice; it
// keeps nothing but tokens, which its caller writes down before they are used.
package remote

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/throughline-io/throughline/pipelines/sources"
)

// Limits that no definition can move.
const (
	// MaxPause is the longest that is waited in place before something is tried again; a vendor that wants more (Retry-After) is left
	// alone until then, and the failure says when.
	MaxPause = 5 * time.Minute
	// MaxRedirects is how many redirects of one request are followed.
	MaxRedirects = 5
	// MaxResponseBytes is how much $responses may hold of one request, all its pages together: it is in memory as a whole.
	MaxResponseBytes = 64 << 20
	// MaxValueBytes is the largest body that a program (failed, more, next, again, cursor) is run over.
	MaxValueBytes = 32 << 20
	// memoryBytes is how much of a body is in memory; the rest is in a file.
	memoryBytes = 8 << 20
	// maxSaidBytes is how much of an answer that is an error is looked at, and maxSaid how much of it is told.
	maxSaidBytes = 64 << 10
	maxSaid      = 200
	// maxTokenBytes bounds the answer that holds a token.
	maxTokenBytes = 1 << 20
)

// Options are what a vendor's caller brings.
type Options struct {
	// Transport is http.DefaultTransport, if left out.
	Transport http.RoundTripper
	// Kept gives the token that was kept under a name; Keep writes one down, and returns when it cannot be lost any more.
	Kept func(name string) (Token, bool)
	Keep func(ctx context.Context, name string, t Token) error
	// Asked is told how each request went: ok, or a reason.
	Asked func(outcome string)
}

// Vendor is an instance's other side: what its entries share. Two of them for one instance would ask twice as fast as the vendor
// allows, and would take each other's refresh tokens away.
type Vendor struct {
	instance *sources.Instance
	options  Options

	mu       sync.Mutex
	limiters map[sources.Rate]*rate.Limiter
	tokens   map[string]*tokens
}

// NewVendor makes it; nobody is asked yet.
func NewVendor(i *sources.Instance, o Options) *Vendor {
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.Asked == nil {
		o.Asked = func(string) {}
	}
	return &Vendor{instance: i, options: o, limiters: map[sources.Rate]*rate.Limiter{}, tokens: map[string]*tokens{}}
}

// Asker asks for one entry.
type Asker struct {
	vendor  *Vendor
	remote  *sources.Remote
	client  *http.Client
	limiter *rate.Limiter
	tokens  *tokens
	wait    Wait
}

// Wait waits so long, or until ctx is done.
type Wait func(ctx context.Context, d time.Duration) error

// Asker is for one entry's fetch or pull. Entries that name the same rate share it: it is the vendor's, and not the entry's.
func (v *Vendor) Asker(r *sources.Remote, wait Wait) *Asker {
	a := &Asker{vendor: v, remote: r, wait: wait}
	a.client = &http.Client{Transport: v.options.Transport, CheckRedirect: a.checkRedirect}
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.Rate != nil {
		if a.limiter = v.limiters[*r.Rate]; a.limiter == nil {
			a.limiter = rate.NewLimiter(rate.Limit(float64(r.Rate.Requests)/r.Rate.Per.Seconds()), max(1, r.Rate.Burst))
			v.limiters[*r.Rate] = a.limiter
		}
	}
	if r.Auth != nil && r.Auth.Kind == "oauth2_refresh" {
		if a.tokens = v.tokens[r.Auth.RefreshToken]; a.tokens == nil {
			a.tokens = newTokens(v, r.Auth)
			v.tokens[r.Auth.RefreshToken] = a.tokens
		}
	}
	return a
}

// turn waits until the vendor may be asked again.
func (a *Asker) turn(ctx context.Context) error {
	if a.limiter == nil {
		return ctx.Err()
	}
	r := a.limiter.Reserve()
	if err := a.wait(ctx, r.Delay()); err != nil {
		r.Cancel()
		return err
	}
	return nil
}
