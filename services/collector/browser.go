package collector

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/throughline-io/throughline/services/internal/httpserver"
)

// MaxBrowserBytes is the largest body of a page.
const MaxBrowserBytes = 256 << 10

// track is POST /v1/t: what a page sends, in whatever content type, with its key in the address. It may send what a public key may.
func (c *Collector) track(w http.ResponseWriter, r *http.Request) {
	key, ok := c.browserKey(w, r)
	if !ok {
		return
	}
	if r.ContentLength > MaxBrowserBytes {
		c.refuseBody(w, errTooLarge)
		return
	}
	held, err := c.memory.enter()
	if err != nil {
		c.refuseBody(w, err)
		return
	}
	defer held.leave()
	r.Body = http.MaxBytesReader(w, r.Body, MaxBrowserBytes)
	items, err := c.items(w, r, held)
	if err != nil {
		c.refuseBody(w, err)
		return
	}
	c.take(context.WithoutCancel(r.Context()), w, senderOf(key, r), items)
}

// gif is a transparent pixel.
var gif = func() []byte {
	b, err := base64.StdEncoding.DecodeString("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
	if err != nil {
		panic(err)
	}
	return b
}()

// Cookies of the pixel, for a collector that answers under the site's own domain.
const (
	visitorCookie = "_tl"
	cookieAge     = 2 * 365 * 24 * time.Hour
)

// pixel is GET /v1/pixel.gif?key=…: a visit of a page without JavaScript. The page is told by url, else by the Referer; the visitor by
// anonymous_id, else by a cookie, which is set where there is none. A visitor who asks not to be tracked gets the picture alone.
func (c *Collector) pixel(w http.ResponseWriter, r *http.Request) {
	key, ok := c.browserKey(w, r)
	if !ok {
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("Sec-GPC") == "1" {
		c.metrics.declined.Inc()
		writeGIF(w)
		return
	}
	q := r.URL.Query()
	page, visitor := q.Get("url"), q.Get("anonymous_id")
	if page == "" {
		page = r.Referer()
	}
	if visitor == "" {
		visitor = c.visitor(w, r)
	}
	visit := map[string]any{"url": page, "referrer": q.Get("referrer"), "title": q.Get("title")}
	item, err := json.Marshal(map[string]any{
		"type": "visit", "source": "site", "time": c.now().UTC().Format(time.RFC3339Nano),
		"identities": map[string]string{"anonymous_id": visitor}, "visit": visit,
	})
	if err != nil {
		c.refuse(w, http.StatusBadRequest, "bad_json", err.Error())
		return
	}
	c.deliver(context.WithoutCancel(r.Context()), w, senderOf(key, r), [][]byte{item}, func(status int, a answer) {
		if a.Error != nil {
			httpserver.WriteJSON(w, status, a)
			return
		}
		writeGIF(w)
	})
}

// visitor is the cookie's, or a new one.
func (c *Collector) visitor(w http.ResponseWriter, r *http.Request) string {
	if cookie, err := r.Cookie(visitorCookie); err == nil && cookie.Value != "" && len(cookie.Value) <= 64 {
		return cookie.Value
	}
	id := uuid.NewString()
	http.SetCookie(w, &http.Cookie{
		Name: visitorCookie, Value: id, Path: "/", MaxAge: int(cookieAge.Seconds()), SameSite: http.SameSiteLaxMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
	return id
}

func writeGIF(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "image/gif")
	_, _ = w.Write(gif) // a browser that has gone needs no picture
}
