package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
)

// userAgent says who asks, to those who read their logs.
const userAgent = "throughline-puller"

// checkRedirect follows none that leads elsewhere: a vendor that was broken into must not lead us, and our token, to another machine.
func (a *Asker) checkRedirect(to *http.Request, via []*http.Request) error {
	switch {
	case len(via) > MaxRedirects:
		return &Failure{Reason: Elsewhere, Err: fmt.Errorf("more than %d redirects", MaxRedirects)}
	case via[0].URL.Scheme == "https" && to.URL.Scheme != "https":
		return &Failure{Reason: Elsewhere, Err: fmt.Errorf("a redirect from https to %s", to.URL.Scheme)}
	}
	return a.may(to.URL.String())
}

func (a *Asker) may(address string) error {
	if err := a.vendor.instance.May(a.remote, address); err != nil {
		return &Failure{Reason: Elsewhere, Err: err}
	}
	return nil
}

// once sends a request and reads its answer. Whole are statuses whose body is needed though they are no 2xx.
func (a *Asker) once(ctx context.Context, call *sources.Call, token string, whole []int) (*Body, error) {
	if err := a.may(call.URL); err != nil {
		return nil, err
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, a.remote.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, call.Method, call.URL, bytes.NewReader(call.Body))
	if err != nil {
		return nil, &Failure{Reason: Wrong, Err: errors.New("the request's address or method is none")}
	}
	for name, values := range call.Header {
		req.Header[name] = values
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", userAgent)
	}
	a.show(req, token)
	res, err := a.client.Do(req)
	if err != nil {
		return nil, errors.Join(outer.Err(), noAnswer(call.URL, err))
	}
	defer res.Body.Close()
	if ok := res.StatusCode >= 200 && res.StatusCode <= 299; !ok && !slices.Contains(whole, res.StatusCode) {
		said, _ := io.ReadAll(io.LimitReader(res.Body, maxSaidBytes)) // the status is what matters
		return nil, ofStatus(res, said, a.remote.Retries, time.Now())
	}
	body, err := readBody(res.Body, a.remote.MaxBytes)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &Failure{Reason: TooLarge, Status: res.StatusCode, Err: fmt.Errorf("%s: %w: more than %d bytes (max_bytes)", res.Request.URL.Host, err, a.remote.MaxBytes)}
	case errors.Is(err, errSpool):
		return nil, &Failure{Reason: Away, Passing: true, Err: err}
	case err != nil:
		return nil, errors.Join(outer.Err(), noAnswer(call.URL, err))
	}
	body.status, body.header = res.StatusCode, res.Header
	return body, nil
}

// show says who we are.
func (a *Asker) show(req *http.Request, token string) {
	auth := a.remote.Auth
	if auth == nil {
		return
	}
	setting := a.vendor.instance.Setting
	name, prefix := "Authorization", "Bearer "
	switch auth.Kind {
	case "basic":
		req.SetBasicAuth(setting(auth.User), setting(auth.Password))
		return
	case "query":
		q := req.URL.Query()
		q.Set(auth.Name, setting(auth.Token))
		req.URL.RawQuery = q.Encode()
		return
	case "header":
		name, prefix, token = auth.Name, auth.Prefix, setting(auth.Token)
	case "bearer":
		token = setting(auth.Token)
	case "oauth2_refresh":
		if auth.Name != "" {
			name = auth.Name
		}
		if auth.Prefix != "" {
			prefix = auth.Prefix
		}
	}
	req.Header.Set(name, prefix+token)
}
