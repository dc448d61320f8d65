package collector

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/throughline-io/throughline/pipelines/workspace"
)

// A browser's key is there for anybody to read. What protects a workspace from other people's pages is the browser itself, which
// says where a page is from: so an origin that is said must be one of the key's. What says none is no page, and could say any.

// corsMaxAge is for how long (seconds) a browser need not ask again.
const corsMaxAge = "7200"

// admit checks where a browser's request comes from and lets the page read the answer. It reports false after refusing.
func (c *Collector) admit(w http.ResponseWriter, r *http.Request, key workspace.FoundKey) bool {
	w.Header().Add("Vary", "Origin")
	if !key.Public {
		return true // a secret has no place in a page: no header lets one read this
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		origin = originOf(r.Header.Get("Referer"))
	}
	if origin == "" {
		return true
	}
	if !slices.Contains(key.Origins, origin) {
		c.refuse(w, http.StatusForbidden, "origin_not_allowed", "this origin is not one of the key's: add it to origins in the configuration")
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	return true
}

// originOf is the origin of an address, empty where it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// preflight answers a browser that asks, before it sends anything, whether a page may. The key is not known yet, so any key's
// origin will do; the request itself is looked at again.
func (c *Collector) preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	origin := r.Header.Get("Origin")
	if !c.keys.Origin(origin) {
		c.refuse(w, http.StatusForbidden, "origin_not_allowed", "this origin is none of any key's: add it to origins in the configuration")
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", http.MethodPost)
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
}

// browserKey is the key of a request that a page sends without headers of its own, as sendBeacon and images do.
func (c *Collector) browserKey(w http.ResponseWriter, r *http.Request) (workspace.FoundKey, bool) {
	token := r.URL.Query().Get("key")
	key, ok := c.find(strings.TrimSpace(token))
	if token == "" {
		key, ok = c.authenticate(r)
	}
	switch {
	case !ok:
		c.refuse(w, http.StatusUnauthorized, "unauthorized", "send the workspace's public key as ?key=")
	case !key.Public:
		c.refuse(w, http.StatusForbidden, "not_public", "this is a secret key: it must not be in a page. Take a public one")
		return key, false
	default:
		ok = c.admit(w, r, key)
	}
	return key, ok
}
