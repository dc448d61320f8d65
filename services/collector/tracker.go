package collector

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strings"
)

// tracker is built from tracker/src by `make tracker`.
//
//go:embed tracker/t.js
var tracker []byte

// trackerAge is how long (seconds) a browser may keep the tracker without asking.
const trackerAge = "3600"

var (
	trackerTag  = `"` + hex.EncodeToString(hashOf(tracker)) + `"`
	trackerGzip = zip(tracker)
)

func hashOf(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:12]
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(b)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // memory takes what is written
	}
	return out.Bytes()
}

// trackerScript is GET /t.js.
func (c *Collector) trackerScript(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age="+trackerAge)
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", trackerTag)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	if strings.Contains(r.Header.Get("If-None-Match"), trackerTag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := tracker
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = trackerGzip
	}
	_, _ = w.Write(body) // a browser that has gone needs no script
}
