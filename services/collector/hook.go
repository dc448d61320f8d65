package collector

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/checks"
	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// UseSources takes the sources of workspaces, at the start and whenever they were read again. Requests that have begun go on with those
// that they began with.
func (c *Collector) UseSources(set *sources.Set) { c.sources.Store(set) }

// errHookTooLarge bounds what must fit, with all that is said of it, into one dead letter.
var errHookTooLarge = errors.New("the body has more bytes than a source's request may")

// hook is one vendor's request.
type hook struct {
	instance *sources.Instance
	entry    *sources.Entry
	request  *checks.Request
}

// hooks is POST and GET /v1/sources/{source}/{key}[/{entry}]: what a vendor sends. A 2xx means what it means for /v1/events: Kafka has
// all of it, the events and, of what could not be mapped, the dead letters. Nothing of a request that a check does not let in is kept:
// anybody could fill the dead letters with it.
func (c *Collector) hooks(w http.ResponseWriter, r *http.Request) {
	instance, ok := c.sources.Load().Find(r.PathValue("source"), r.PathValue("key"))
	if !ok {
		c.refuseHook(w, nil, checks.UnknownKey, http.StatusUnauthorized)
		return
	}
	held, err := c.memory.enter()
	if err != nil {
		c.refuseBody(w, err)
		return
	}
	defer held.leave()
	if r.ContentLength > items.Hook.Bytes {
		c.refuseBody(w, errHookTooLarge)
		return
	}
	body, err := readBody(w, r, held, int(items.Hook.Bytes))
	if err != nil {
		if errors.Is(err, errTooLarge) {
			err = errHookTooLarge
		}
		c.refuseBody(w, err)
		return
	}
	if err := held.take(copies*len(body) + mapping.LightBytes); err != nil {
		c.refuseBody(w, err)
		return
	}
	h := &hook{instance: instance, request: c.checked(r, body)}
	if h.entry, ok = instance.Source.Webhook(h.request, r.PathValue("entry")); !ok {
		c.refuse(w, http.StatusNotFound, "no_entry", "the source has no entry for such a request")
		return
	}
	if reply, reason, ok := instance.Greeting(h.entry, h.request); ok {
		if reason != "" {
			c.refuseHook(w, h, reason, h.entry.Answer.Forged)
			return
		}
		c.metrics.hooks.WithLabelValues(instance.Workspace.Name, instance.Name, "handshake").Inc()
		writeReply(w, reply)
		return
	}
	if r.Method != http.MethodPost && h.entry.Read.Format != "query" {
		c.refuse(w, http.StatusMethodNotAllowed, "bad_method", "this entry takes POST")
		return
	}
	if reason := instance.Guard(h.entry).Verify(h.request); reason != "" {
		c.refuseHook(w, h, reason, h.entry.Answer.Forged)
		return
	}
	c.takeHook(context.WithoutCancel(r.Context()), w, h)
}

// checked is the request as checks see it.
func (c *Collector) checked(r *http.Request, body []byte) *checks.Request {
	base := c.cfg.PublicURL
	if base == "" {
		scheme := "http"
		if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
			scheme = "https"
		}
		base = scheme + "://" + r.Host
	}
	return &checks.Request{
		Method: r.Method, URL: base + r.URL.RequestURI(), Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, Body: body, Received: c.now(),
	}
}

// takeHook maps what was sent, brings it to Kafka and answers as the vendor needs.
func (c *Collector) takeHook(ctx context.Context, w http.ResponseWriter, h *hook) {
	k := c.kafka.Load()
	if k == nil {
		c.later(w, http.StatusServiceUnavailable, "unavailable", errNotConnected.Error())
		return
	}
	within := min(h.entry.Answer.Within, c.cfg.DeliveryTimeout)
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	began := time.Now()
	b := c.readHook(mapping.WithGate(ctx, func(ctx context.Context) (func(), error) { return c.gate.enter(ctx, h.instance) }), k, h)
	c.metrics.mapped.WithLabelValues(h.instance.Workspace.Name, h.instance.Name).Observe(time.Since(began).Seconds())
	switch {
	case errors.Is(b.fault, context.DeadlineExceeded), errors.Is(b.fault, errBusy):
		c.later(w, http.StatusServiceUnavailable, "busy", "it could not be mapped in time: send it again after a pause")
		return
	case b.fault != nil:
		c.log.Error("a vendor's request could not be written down", zap.String("source", h.instance.Name), zap.Error(b.fault))
		c.refuse(w, http.StatusInternalServerError, "internal", "it could not be written down")
		return
	}
	// What is under way stays under way when the vendor no longer waits: a repetition is a duplicate.
	if err := c.produceWithin(context.WithoutCancel(ctx), k.client, b.records, max(0, within-time.Since(began))); err != nil {
		c.refuseKafka(w, err)
		return
	}
	c.settleHook(h, b)
	reply := h.entry.Answer.OK
	if b.allBad() && h.entry.Answer.Bad != nil {
		reply = *h.entry.Answer.Bad
	}
	writeReply(w, reply)
}

// refuseHook refuses what a check does not let in. What it was is not kept.
func (c *Collector) refuseHook(w http.ResponseWriter, h *hook, reason checks.Reason, status int) {
	workspace, name := "", "" // a stranger's text is no label
	if h != nil {
		workspace, name = h.instance.Workspace.Name, h.instance.Name
	}
	c.metrics.forged.WithLabelValues(workspace, name, string(reason)).Inc()
	c.refuse(w, status, "unauthorized", "the request is not one that this source lets in")
}

func writeReply(w http.ResponseWriter, r sources.Reply) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Type != "" {
		h.Set("Content-Type", r.Type)
	}
	for name, value := range r.Headers {
		h.Set(name, value)
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write([]byte(r.Body)) // a vendor that has gone needs no answer
}

// sourceSchema is GET /v1/source.schema.json, for editors.
func sourceSchema(w http.ResponseWriter, _ *http.Request) {
	writeReply(w, sources.Reply{Status: http.StatusOK, Type: "application/schema+json", Headers: map[string]string{"Cache-Control": "max-age=3600"}, Body: string(sources.Schema())})
}
