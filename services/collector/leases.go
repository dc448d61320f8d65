package collector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/collector/numbers"
	"github.com/throughline-io/throughline/services/internal/httpserver"
)

// MaxLeaseBytes is the largest body of a request for a number.
const MaxLeaseBytes = 4 << 10

// maxAsks bounds the visitors that wait for one partition's owner; beyond it the answer is 429.
const maxAsks = 4096

// LeaseSource is the source of the events that tell of leases.
const LeaseSource = "numbers"

// leases is what a process knows of its part in giving out numbers.
type leases struct {
	partitions int32
	mu         sync.Mutex
	owned      map[int32]chan *ask
	owners     ownersCache
}

// leaseRequest is the body of POST /v1/numbers/lease.
type leaseRequest struct {
	Pool        string `json:"pool"`
	AnonymousID string `json:"anonymous_id"`
}

// leaseAnswer is what a page is told. Number is empty where all are held and the pool has no fallback: the page then shows what it has.
type leaseAnswer struct {
	Pool     string `json:"pool"`
	Number   string `json:"number"`
	Fallback bool   `json:"fallback"`
	// Until is when the number may be given to others, unless it is asked for again.
	Until string `json:"until,omitempty"`
	// Refresh is after how many seconds a page that is still looked at should ask again.
	Refresh int `json:"refresh_seconds"`
}

// lease is POST /v1/numbers/lease: a number for a visitor.
func (c *Collector) lease(w http.ResponseWriter, r *http.Request) {
	key, ok := c.leaseKey(w, r)
	if !ok {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxLeaseBytes))
	var q leaseRequest
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		c.refuse(w, http.StatusRequestEntityTooLarge, string(event.TooLarge), fmt.Sprintf("a request for a number has at most %d bytes", MaxLeaseBytes))
		return
	case err != nil:
		c.refuse(w, http.StatusBadRequest, string(event.BadJSON), "the body cannot be read")
		return
	case json.Unmarshal(body, &q) != nil:
		c.refuse(w, http.StatusBadRequest, string(event.BadJSON), `the body is not {"pool":"…","anonymous_id":"…"}`)
		return
	}
	id := poolID{key.Workspace.Name, q.Pool}
	pool, ok := c.pools[id]
	if !ok {
		c.refuse(w, http.StatusNotFound, "unknown_pool", "the workspace has no pool of this name: see pools in the configuration")
		return
	}
	rules := c.rules[id.workspace]
	kind, value, reason := rules.Identity("anonymous_id", q.AnonymousID)
	if reason != "" {
		c.refuse(w, http.StatusBadRequest, string(event.NoIdentity), "anonymous_id names nobody: "+string(reason))
		return
	}
	if r.Header.Get("Sec-GPC") == "1" || isBot(r.UserAgent()) {
		c.metrics.leases.WithLabelValues(id.workspace, id.pool, "declined").Inc()
		c.writeLease(w, pool, numbers.Answer{})
		return
	}
	a := &ask{id: id, visitor: rules.Node(kind, value).ID, answer: make(chan told, 1)}
	a.event = func(l numbers.Lease, now time.Time) (*event.Event, error) { return leaseEvent(rules, value, l, now) }
	c.askOwner(w, r, body, a, pool)
}

// leaseKey takes a public key of the page's origin or, from a server that renders pages, a secret one.
func (c *Collector) leaseKey(w http.ResponseWriter, r *http.Request) (workspace.FoundKey, bool) {
	key, ok := c.find(strings.TrimSpace(r.URL.Query().Get("key")))
	if ok && !key.Public {
		c.refuse(w, http.StatusForbidden, "not_public", "this is a secret key: it must not be in an address. Take a public one")
		return key, false
	}
	if !ok {
		key, ok = c.authenticate(r)
	}
	if !ok {
		c.refuse(w, http.StatusUnauthorized, "unauthorized", "send the workspace's public key as ?key=")
		return key, false
	}
	return key, c.admit(w, r, key)
}

func (c *Collector) writeLease(w http.ResponseWriter, pool *workspace.Pool, a numbers.Answer) {
	out := leaseAnswer{Pool: pool.Name, Number: a.Number, Refresh: max(1, int(pool.Hold.Seconds()/2))}
	if a.Number == "" {
		out.Number, out.Fallback = pool.Fallback, true
	} else {
		out.Until = time.UnixMilli(a.Until).UTC().Format(time.RFC3339Nano)
	}
	w.Header().Set("Cache-Control", "no-store")
	httpserver.WriteJSON(w, http.StatusOK, out)
}

// askOwner asks the owner of the pool: here, or in the process that is.
func (c *Collector) askOwner(w http.ResponseWriter, r *http.Request, body []byte, a *ask, pool *workspace.Pool) {
	partition := int32(-1)
	if c.kafka.Load() != nil {
		partition = a.id.partition(c.leases.partitions)
	}
	c.leases.mu.Lock()
	asks := c.leases.owned[partition]
	c.leases.mu.Unlock()
	switch {
	case partition < 0:
		c.later(w, http.StatusServiceUnavailable, "unavailable", errNotConnected.Error())
		return
	case asks == nil:
		c.forward(w, r, body, partition)
		return
	}
	select {
	case asks <- a:
	default:
		c.later(w, http.StatusTooManyRequests, "busy", "too many visitors wait for a number: ask again after a pause")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), c.cfg.DeliveryTimeout)
	defer cancel()
	select {
	case t := <-a.answer:
		switch {
		case t.err != nil:
			c.refuseKafka(w, t.err)
			return
		case t.Number == "":
			c.metrics.leases.WithLabelValues(a.id.workspace, a.id.pool, "dry").Inc()
		case t.New:
			c.metrics.leases.WithLabelValues(a.id.workspace, a.id.pool, "given").Inc()
		default:
			c.metrics.leases.WithLabelValues(a.id.workspace, a.id.pool, "kept").Inc()
		}
		c.writeLease(w, pool, t.Answer)
	case <-ctx.Done():
		c.later(w, http.StatusServiceUnavailable, "unavailable", "no number in time: ask again after a pause")
	}
}

// leaseEvent is the event that tells the stitcher of a lease.
func leaseEvent(rules *event.Rules, visitor string, l numbers.Lease, now time.Time) (*event.Event, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("leases: name a lease: %w", err)
	}
	raw, err := json.Marshal(map[string]any{
		"id": id.String(), "type": "number_lease", "source": LeaseSource, "time": now.UTC().Format(time.RFC3339Nano),
		"identities":   map[string]string{"anonymous_id": visitor},
		"number_lease": map[string]string{"number": l.Number, "until": time.UnixMilli(l.Until).UTC().Format(time.RFC3339Nano)},
	})
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	e, _, bad := event.Parse(raw, rules, now, event.Options{})
	if bad != nil {
		return nil, fmt.Errorf("leases: %w", bad)
	}
	return &e, nil
}

// PoolDemand reads what each pool of a workspace was asked for, by hour (2026-11-01T10, UTC), of the last 90 days.
func PoolDemand(ctx context.Context, connect []kgo.Opt, prefix, workspace string) (map[string]map[string]numbers.Hour, error) {
	log, err := readLeases(ctx, connect, prefix+pipelines.TopicLeases)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]numbers.Hour{}
	for id, hours := range log.hours {
		if id.workspace == workspace {
			out[id.pool] = hours
		}
	}
	return out, nil
}
