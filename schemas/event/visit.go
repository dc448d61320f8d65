package event

import (
	"strconv"
	"strings"
)

// clickOrder is the order of SPEC §4 in which click ids decide.
var clickOrder = []string{"gclid", "wbraid", "gbraid", "yclid", "msclkid", "ttclid", "rb_clickid", "fbclid"}

func (p *parser) visit(in *object) {
	v := &VisitData{URL: strings.TrimSpace(in.required("url")), Referrer: strings.TrimSpace(in.str("referrer")), Title: in.str("title")}
	utm := in.utm()
	clicks := in.object("click_ids")
	if in.err != nil {
		return
	}
	host, rest, ok := splitURL(v.URL)
	if !ok {
		in.fail(bad("visit.url", "%s is not an absolute URL", quote(v.URL)))
		return
	}
	values := parseQuery(rest)
	v.ClickIDs = clickIDs(clicks, values)
	if clicks != nil && clicks.err != nil {
		in.fail(clicks.err)
		return
	}
	v.Origin = origin(utm, values, v.ClickIDs, v.Referrer, host)
	p.e.Visit = v
}

// origin is the first that says anything: utm as given, utm of the url, a click id, the referrer.
func origin(utm UTM, q query, clicks map[string]string, referrer, own string) Origin {
	if utm.Empty() {
		utm = UTM{
			q.get("utm_source"), q.get("utm_medium"), q.get("utm_campaign"), q.get("utm_content"), q.get("utm_term"),
		}.Normal()
	}
	if !utm.Empty() {
		return Origin{UTM: utm}
	}
	for _, name := range clickOrder {
		if clicks[name] != "" {
			return Origin{Click: name}
		}
	}
	if host, _, ok := splitURL(referrer); ok && host != own {
		return Origin{Referrer: host}
	}
	return Origin{}
}

// clickIDs are those that were given, else those in the url.
func clickIDs(given *object, q query) map[string]string {
	var out map[string]string
	set := func(name, v string) {
		if out == nil {
			out = map[string]string{}
		}
		out[name] = v
	}
	if given != nil {
		for _, m := range given.fields.sorted() { // in order, so that the same fault is named each time
			if v := strings.TrimSpace(given.str(m.name)); v != "" {
				set(m.name, v)
			}
		}
	}
	if len(out) == 0 {
		for _, name := range clickOrder {
			if v := q.get(name); v != "" {
				set(name, v)
			}
		}
	}
	return out
}

// splitURL finds host and query of an absolute URL. It is laxer than net/url, which refuses what browsers send (a stray
// percent sign in a path). The host is in lower case, without user, port and a leading "www.".
func splitURL(s string) (host, query string, ok bool) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme == "" || strings.ContainsAny(scheme, "/?# ") {
		return "", "", false
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, query, _ = strings.Cut(rest, "?")
	host, _, _ = strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	host = strings.TrimPrefix(strings.TrimSuffix(strings.ToLower(host), "."), "www.")
	if host == "" || strings.ContainsAny(host, " \t\n\\") {
		return "", "", false
	}
	return host, query, true
}

// quote shows a value in a message, cut where it is long.
func quote(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return strconv.Quote(s)
}
