package collector

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/internal/httpserver"
)

// answer is the body of a 202, and of a 400 where every item is bad. accepted + duplicates + rejected are all items.
type answer struct {
	Accepted   int        `json:"accepted"`
	Duplicates int        `json:"duplicates"`
	Rejected   []rejected `json:"rejected"`
}

type rejected struct {
	Index   int        `json:"index"`
	Code    event.Code `json:"code"`
	Message string     `json:"message"`
}

// retryAfter is how many seconds a sender should wait.
const retryAfter = 1

// events is POST /v1/events.
func (c *Collector) events(w http.ResponseWriter, r *http.Request) {
	key, ok := c.authenticate(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer realm="throughline"`)
		c.refuse(w, http.StatusUnauthorized, "unauthorized", "send Authorization: Bearer with a key of the workspace")
		return
	}
	size := r.ContentLength
	if size < 0 || r.Header.Get("Content-Encoding") != "" {
		size = MaxRequestBytes
	}
	if size > MaxRequestBytes {
		c.refuse(w, http.StatusRequestEntityTooLarge, string(event.TooLarge), errTooLarge.Error())
		return
	}
	if !c.bytes.TryAcquire(size) {
		c.later(w, http.StatusTooManyRequests, "busy", "too much is being handled already: send it again after a pause")
		return
	}
	defer c.bytes.Release(size)
	body, err := readBody(r)
	var items []json.RawMessage
	if err == nil {
		items, err = split(body, r.Header.Get("Content-Type"))
	}
	if err != nil {
		c.refuseBody(w, err)
		return
	}
	c.take(r.Context(), w, key, items)
}

func (c *Collector) authenticate(r *http.Request) (workspace.FoundKey, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return workspace.FoundKey{}, false
	}
	return c.keys.Find(strings.TrimSpace(token))
}

// take reads the items, sends what is good and what is bad to Kafka, and answers once Kafka has all of it.
func (c *Collector) take(ctx context.Context, w http.ResponseWriter, key workspace.FoundKey, items []json.RawMessage) {
	client := c.client.Load()
	if client == nil {
		c.later(w, http.StatusServiceUnavailable, "unavailable", errNotConnected.Error())
		return
	}
	b := c.read(key, items)
	if b.fault != nil {
		c.log.Error(b.fault.Error())
		c.refuse(w, http.StatusInternalServerError, "internal", "an item could not be written down")
		return
	}
	if err := c.produce(ctx, client, b.records); err != nil {
		if errors.Is(err, kgo.ErrMaxBuffered) {
			c.later(w, http.StatusTooManyRequests, "busy", "Kafka takes events slower than they come: send it again after a pause")
			return
		}
		c.later(w, http.StatusServiceUnavailable, "unavailable", "Kafka did not take all of it; nothing is lost if it is sent again: "+err.Error())
		return
	}
	c.settle(b)
	status := http.StatusAccepted
	if len(b.answer.Rejected) == len(items) {
		status = http.StatusBadRequest
	}
	httpserver.WriteJSON(w, status, b.answer)
}

func (c *Collector) refuseBody(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, errTooMany):
		c.refuse(w, http.StatusRequestEntityTooLarge, string(event.TooLarge), err.Error())
	case errors.Is(err, errEncoding):
		c.refuse(w, http.StatusUnsupportedMediaType, "bad_encoding", err.Error())
	default:
		c.refuse(w, http.StatusBadRequest, string(event.BadJSON), err.Error())
	}
}

func (c *Collector) refuse(w http.ResponseWriter, status int, code, message string) {
	c.metrics.refused.WithLabelValues(code).Inc()
	httpserver.WriteError(w, status, code, message)
}

func (c *Collector) later(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	c.refuse(w, status, code, message)
}
