package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
)

// Reason is why a vendor did not give what was asked for: a closed list, for metrics and dead letters.
type Reason string

// Reasons.
const (
	Away         Reason = "vendor_away"         // no answer, or one that says that it cannot answer now
	Throttled    Reason = "vendor_throttles"    // 429
	Refused      Reason = "vendor_refuses"      // another status that is no answer
	Unauthorized Reason = "vendor_unauthorized" // 401, or no token can be had
	Said         Reason = "vendor_failed"       // a 200 that says that it failed
	NotReady     Reason = "vendor_not_ready"    // a report that was not made in time
	Elsewhere    Reason = "host_not_allowed"    // a host that the definition does not name
	TooLarge     Reason = "answer_too_large"
	TooMany      Reason = "too_many_pages"
	Unreadable   Reason = "answer_unreadable"
	Wrong        Reason = "definition_fails" // a program of the definition
)

// Failure is why, and whether it may pass.
type Failure struct {
	Reason Reason
	Status int
	// Passing: the same request may be answered later; After is how long the vendor wants to be left alone, if it said so.
	Passing bool
	After   time.Duration
	Err     error
	// Said is the beginning of what the vendor answered.
	Said string
}

func (f *Failure) Error() string { return string(f.Reason) + ": " + f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// AsFailure is the failure that an error is, or one that no one has named: the definition's.
func AsFailure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Reason: Wrong, Err: err}
}

func wrong(r *sources.Request, what string, err error) *Failure {
	return &Failure{Reason: Wrong, Err: fmt.Errorf("request %s: %s: %w", r.Name, what, err)}
}

// noAnswer is a request that was not answered. Addresses may hold tokens, so only the host is told.
func noAnswer(address string, err error) *Failure {
	var f *Failure
	if errors.As(err, &f) { // a redirect that was refused
		return f
	}
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	host := "the vendor"
	if u, bad := url.Parse(address); bad == nil {
		host = u.Host
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		err = errors.New("no answer in time")
	}
	return &Failure{Reason: Away, Passing: true, Err: fmt.Errorf("%s: %w", host, err)}
}

// ofStatus sorts an answer that is no 2xx; nil for one that is.
func ofStatus(res *http.Response, said []byte, retries *sources.Retries, now time.Time) *Failure {
	status := res.StatusCode
	if status >= 200 && status <= 299 {
		return nil
	}
	f := &Failure{
		Reason: Refused, Status: status, After: retryAfter(res.Header, now), Said: excerpt(said),
		Err: fmt.Errorf("%s answered %d %s", res.Request.URL.Host, status, http.StatusText(status)),
	}
	switch {
	case status == http.StatusTooManyRequests:
		f.Reason, f.Passing = Throttled, true
	case status >= 500 || status == http.StatusRequestTimeout || slices.Contains(retries.Statuses, status):
		f.Reason, f.Passing = Away, true
	case status == http.StatusUnauthorized:
		f.Reason = Unauthorized
	}
	return f
}

// retryAfter reads seconds or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseInt(s, 10, 32); err == nil {
		return max(0, time.Duration(n)*time.Second)
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// contact is what may be somebody's phone or e-mail.
var contact = regexp.MustCompile(`[^\s"'<>@]+@[^\s"'<>@]+|\+?[0-9][0-9 ().-]{5,}[0-9]`)

// excerpt is the beginning of what was said, on one line and without what may be a client's: it is logged, and shown by status.
func excerpt(b []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "\uFFFD")), " ")
	s = contact.ReplaceAllString(s, "*")
	if r := []rune(s); len(r) > maxSaid {
		return string(r[:maxSaid]) + "…"
	}
	return s
}
