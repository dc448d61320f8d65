package sources

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

func (f *Fetch) validate(declared map[string]bool, fault faultFunc) {
	validateRequests(f.Requests, fault)
	f.Remote.validate(declared, fault)
	if f.Delay < 0 || f.Delay > MaxDelay {
		fault("delay", "%q is not between 0 and %s", f.Delay, MaxDelay)
	}
}

func (p *Pull) validate(declared map[string]bool, fault faultFunc) {
	if p.Every < MinEvery || p.Every > MaxEvery {
		fault("every", "%q is not between %s and %s", p.Every, MinEvery, MaxEvery)
	}
	validateRequests(p.Requests, fault)
	if n := len(p.Requests); n > 0 && p.Requests[n-1].Read != nil {
		fault(fmt.Sprintf("requests[%d].read", n-1), "is the entry's own read: the last request gives the items")
	}
	p.Remote.validate(declared, fault)
	if w := p.Window; w != nil {
		if w.Days < 1 || w.Days > MaxDays {
			fault("window.days", "%d is not between 1 and %d", w.Days, MaxDays)
		}
		if w.Chunk == 0 {
			w.Chunk = w.Days
		}
		if w.Chunk < 1 || w.Chunk > MaxDays {
			fault("window.chunk", "%d is not between 1 and %d", w.Chunk, MaxDays)
		}
		if name, ok := strings.CutPrefix(w.Zone, "setting:"); ok {
			if !declared[name] {
				fault("window.zone", "%q is none of the settings", name)
			}
		} else if _, err := time.LoadLocation(w.Zone); w.Zone != "" && (err != nil || w.Zone == "Local") {
			fault("window.zone", "%q is no zone", w.Zone)
		}
	}
	if c := p.Cursor; c != nil && c.Next == "" {
		fault("cursor.next", "is empty: the cursor would stand still")
	}
}

func validateRequests(list []Request, fault faultFunc) {
	if len(list) == 0 || len(list) > MaxRequests {
		fault("requests", "are %d; 1 to %d are allowed", len(list), MaxRequests)
	}
	names := map[string]bool{}
	for i := range list {
		r := &list[i]
		at := fault.under(fmt.Sprintf("requests[%d]", i))
		if !nameForm.MatchString(r.Name) || names[r.Name] {
			at("name", "%q is no name, or stands twice", r.Name)
		}
		names[r.Name] = true
		if r.Request == "" {
			at("request", "is empty: it is a jq program that gives an object with url")
		}
		if r.Read != nil && !slices.Contains([]string{"json", "ndjson", "xml", "csv", "tsv", "text"}, r.Read.Format) {
			at("read.format", "%q is none of json, ndjson, xml, text", r.Read.Format)
		}
		if r.Pages != nil {
			r.Pages.validate(at.under("pages"))
		}
		for _, status := range r.Absent {
			if status < 400 || status > 499 || status == 401 || status == 429 {
				at("absent", "%d is no status that says that something is not there", status)
			}
		}
		if a := r.Again; a != nil {
			if len(a.Status) == 0 && a.When == "" {
				at("again", "needs status or when")
			}
			if a.After <= 0 || a.After > a.Most {
				at("again.after", "%q is not between 0 and most", a.After)
			}
			if a.Most <= 0 || a.Most > MaxAgain {
				at("again.most", "%q is not between 0 and %s", a.Most, MaxAgain)
			}
		}
	}
}

func (p *Pages) validate(fault faultFunc) {
	switch p.Kind {
	case "page", "offset":
		if p.Next != "" {
			fault("next", "is for the kinds cursor and link")
		}
		if p.Size < 1 && p.More == "" {
			fault("size", "or more must say where the end is")
		}
	case "cursor":
		if p.Next == "" {
			fault("next", "is empty: nothing gives the next cursor")
		}
	case "link":
	default:
		fault("kind", "%q is none of page, offset, cursor and link", p.Kind)
	}
	if p.More != "" && p.Kind != "page" && p.Kind != "offset" {
		fault("more", "is for the kinds page and offset")
	}
	if p.Most == 0 {
		p.Most = DefaultPages
	}
	if p.Most < 1 || p.Most > MaxPages {
		fault("most", "%d is not between 1 and %d", p.Most, MaxPages)
	}
}

// hostForm is a host, maybe with a port, maybe with *. for any below it.
var hostForm = regexp.MustCompile(`^(\*\.)?[a-z0-9.-]+(:[0-9]{1,5})?$`)

func (r *Remote) validate(declared map[string]bool, fault faultFunc) {
	if len(r.Hosts) == 0 {
		fault("hosts", "are none: say which hosts may be asked")
	}
	for i, h := range r.Hosts {
		at := fmt.Sprintf("hosts[%d]", i)
		if name, ok := strings.CutPrefix(h, "setting:"); ok {
			if !declared[name] {
				fault(at, "%q is none of the settings", name)
			}
		} else if !hostForm.MatchString(h) {
			fault(at, "%q is no host such as api.vendor.example or *.vendor.example", h)
		}
	}
	if r.Timeout == 0 {
		r.Timeout = DefaultTimeout
	}
	if r.Timeout < time.Second || r.Timeout > MaxTimeout {
		fault("timeout", "%q is not between 1s and %s", r.Timeout, MaxTimeout)
	}
	if r.MaxBytes == 0 {
		r.MaxBytes = DefaultMaxBytes
	}
	if r.MaxBytes < 1 || r.MaxBytes > MaxMaxBytes {
		fault("max_bytes", "%d is not between 1 and %d", r.MaxBytes, int64(MaxMaxBytes))
	}
	if r.Rate != nil && (r.Rate.Requests < 1 || r.Rate.Per <= 0 || r.Rate.Burst < 0) {
		fault("rate", "needs requests and per, both positive")
	}
	if r.Retries == nil {
		d := DefaultRetries
		r.Retries = &d
	}
	if t := r.Retries; t.Attempts < 1 || t.Attempts > 100 || t.First <= 0 || t.Longest < t.First {
		fault("retries", "needs 1 to 100 attempts, a positive first and a longest that is no less")
	}
	if r.Auth != nil {
		r.Auth.validate(declared, fault.under("auth"))
	}
}

func (a *Auth) validate(declared map[string]bool, fault faultFunc) {
	need := map[string][]string{
		"bearer": {"token"}, "header": {"token", "name"}, "query": {"token", "name"}, "basic": {"user"},
		"oauth2_refresh": {"token_url", "client_id", "refresh_token"},
	}[a.Kind]
	if need == nil {
		fault("kind", "%q is none of bearer, header, query, basic and oauth2_refresh", a.Kind)
		return
	}
	values := []struct{ field, value string }{
		{"token", a.Token}, {"user", a.User}, {"password", a.Password}, {"client_id", a.ClientID}, {"client_secret", a.ClientSecret},
		{"refresh_token", a.RefreshToken},
	}
	for _, v := range values {
		switch {
		case v.value == "" && slices.Contains(need, v.field):
			fault(v.field, "is needed: the name of a setting")
		case v.value != "" && !declared[v.value]:
			fault(v.field, "%q is none of the settings", v.value)
		}
	}
	if a.Name == "" && slices.Contains(need, "name") {
		fault("name", "is needed")
	}
	if u, err := url.Parse(a.TokenURL); slices.Contains(need, "token_url") && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") &&
		!strings.HasPrefix(a.TokenURL, "setting:") {
		fault("token_url", "%q is no address", a.TokenURL)
	}
}
