package collector

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/internal/httpserver"
)

// answer is the body of a 202, and of a 400 where every item is bad. Accepted, duplicates and rejected add up to all items.
type answer struct {
	Accepted   int        `json:"accepted"`
	Duplicates int        `json:"duplicates"`
	Rejected   []rejected `json:"rejected"`
	// Error is set with a 400, so that every answer but a 202 has one.
	Error *fault `json:"error,omitempty"`
}

type rejected struct {
	Index   int        `json:"index"`
	Code    event.Code `json:"code"`
	Message string     `json:"message"`
}

type fault struct {
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
	if !c.admit(w, r, key) {
		return
	}
	held, err := c.memory.enter()
	if err != nil {
		c.refuseBody(w, err)
		return
	}
	defer held.leave()
	items, err := c.items(w, r, held)
	if err != nil {
		if errors.Is(err, errTooLarge) {
			drain(r)
		}
		c.refuseBody(w, err)
		return
	}
	// What was sent stays sent when the sender goes away: Kafka's answer makes a repetition a duplicate at the door.
	c.take(context.WithoutCancel(r.Context()), w, senderOf(key, r), items)
}

func (c *Collector) authenticate(r *http.Request) (workspace.FoundKey, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return workspace.FoundKey{}, false
	}
	return c.find(strings.TrimSpace(token))
}

// find is a sender's key; one that reads reports sends nothing.
func (c *Collector) find(token string) (workspace.FoundKey, bool) {
	key, ok := c.keys.Find(token)
	return key, ok && !key.Report
}

func (c *Collector) items(w http.ResponseWriter, r *http.Request, held *reservation) ([][]byte, error) {
	if r.ContentLength > MaxRequestBytes {
		return nil, errTooLarge
	}
	body, err := readBody(w, r, held, MaxRequestBytes)
	if err != nil {
		return nil, err
	}
	items, err := split(body, r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	return items, held.take(copies * len(body))
}

// take reads the items, sends what is good and what is bad to Kafka, and answers once Kafka has all of it.
func (c *Collector) take(ctx context.Context, w http.ResponseWriter, from sender, items [][]byte) {
	c.deliver(ctx, w, from, items, func(status int, a answer) { httpserver.WriteJSON(w, status, a) })
}

// deliver lets say answer once Kafka has what is good and what is bad; what goes wrong before that it says itself.
func (c *Collector) deliver(ctx context.Context, w http.ResponseWriter, from sender, items [][]byte, say func(int, answer)) {
	k := c.kafka.Load()
	if k == nil {
		c.later(w, http.StatusServiceUnavailable, "unavailable", errNotConnected.Error())
		return
	}
	b := c.read(k, from, items)
	if b.fault != nil {
		c.log.Error("an item could not be written down", zap.Error(b.fault))
		c.refuse(w, http.StatusInternalServerError, "internal", "an item could not be written down")
		return
	}
	if err := c.produce(ctx, k.client, b.records); err != nil {
		c.refuseKafka(w, err)
		return
	}
	c.settle(b)
	status := http.StatusAccepted
	if len(b.answer.Rejected) == len(items) {
		status = http.StatusBadRequest
		first := b.answer.Rejected[0]
		b.answer.Error = &fault{first.Code, "no item was accepted; of the first: " + first.Message}
	}
	say(status, b.answer)
}

func (c *Collector) refuseBody(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errBusy):
		c.later(w, http.StatusTooManyRequests, "busy", err.Error())
	case errors.Is(err, errTooLarge), errors.Is(err, errHookTooLarge), errors.Is(err, errTooMany), errors.Is(err, errWindow):
		c.refuse(w, http.StatusRequestEntityTooLarge, string(event.TooLarge), err.Error())
	case errors.Is(err, errEncoding):
		c.refuse(w, http.StatusUnsupportedMediaType, "bad_encoding", err.Error())
	case errors.Is(err, errSlow):
		c.refuse(w, http.StatusRequestTimeout, "timeout", err.Error())
	default:
		c.refuse(w, http.StatusBadRequest, string(event.BadJSON), err.Error())
	}
}

// refuseKafka says no more than the sender needs: what Kafka said may name brokers, and is logged.
func (c *Collector) refuseKafka(w http.ResponseWriter, err error) {
	if isFull(err) {
		c.later(w, http.StatusTooManyRequests, "busy", "Kafka takes events slower than they come: send it again after a pause")
		return
	}
	c.log.Warn("a request was refused because Kafka did not take all of it", zap.Error(err))
	c.later(w, http.StatusServiceUnavailable, "unavailable", "Kafka did not take all of it: send it again after a pause, which counts nothing twice")
}

func (c *Collector) refuse(w http.ResponseWriter, status int, code, message string) {
	c.metrics.refused.WithLabelValues(code).Inc()
	httpserver.WriteError(w, status, code, message)
}

func (c *Collector) later(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	c.refuse(w, status, code, message)
}
