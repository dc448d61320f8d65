// Package collector takes events over HTTP and puts them into Kafka.
//
// A 2xx means that Kafka has every accepted event, acknowledged by all replicas in sync, and every rejected one as a dead
// letter. Anything else means that the sender may repeat the whole request: events have ids, so a repetition changes
// nothing. The exception is a 400, whose items are dead letters already, and the other answers that say what to change.
//
// A repeated event may reach Kafka twice; the stitcher tells. Nothing is kept over a restart. Who shuts down: the HTTP server
// lets running requests finish, and Run flushes what they produced.
package collector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
)

// Collector is one process's door.
type Collector struct {
	cfg     Config
	keys    *workspace.Keys
	rules   map[string]*event.Rules
	log     *zap.Logger
	metrics *metrics
	memory  *memory
	recent  *recent
	kafka   atomic.Pointer[connection]
	now     func() time.Time
	pools   map[poolID]*workspace.Pool
	leases  leases
	client  *http.Client // to other collectors
	sources atomic.Pointer[sources.Set]
	gate    *gate
}

// New makes a collector of validated workspaces; nothing happens until Run.
func New(cfg Config, workspaces []workspace.Workspace, reg prometheus.Registerer, log *zap.Logger) *Collector {
	c := &Collector{
		cfg: cfg, keys: workspace.NewKeys(workspaces), rules: map[string]*event.Rules{}, log: log, recent: newRecent(cfg.Recent), now: time.Now,
		pools: map[poolID]*workspace.Pool{}, leases: leases{owned: map[int32]chan *ask{}}, client: &http.Client{}, gate: newGate(),
	}
	c.metrics = newMetrics(reg, &c.kafka)
	c.memory = newMemory(cfg, c.metrics)
	c.UseSources(&sources.Set{})
	for i := range workspaces {
		w := &workspaces[i]
		c.rules[w.Name] = w.EventRules()
		for j := range w.Pools {
			c.pools[poolID{w.Name, w.Pools[j].Name}] = &w.Pools[j]
		}
	}
	return c
}

// Run connects to Kafka and stays connected until ctx is done; what was produced by then is flushed.
func (c *Collector) Run(ctx context.Context) error {
	if err := c.cfg.Validate(); err != nil {
		return err
	}
	k, err := c.connect(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer k.client.Close()
	c.leases.partitions = k.leases
	c.kafka.Store(k)
	err = c.runLeases(ctx)
	<-ctx.Done()
	c.kafka.Store(nil)
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.DeliveryTimeout)
	defer cancel()
	if flushed := k.client.Flush(flush); flushed != nil {
		err = errors.Join(err, fmt.Errorf("collector: what was not acknowledged is not flushed: %w", flushed))
	}
	return err
}

// Register adds the collector's paths.
func (c *Collector) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/events", c.events)
	mux.HandleFunc("POST /v1/t", c.track)
	mux.HandleFunc("GET /v1/pixel.gif", c.pixel)
	for _, path := range []string{"/v1/sources/{source}/{key}", "/v1/sources/{source}/{key}/{entry}"} {
		mux.HandleFunc("POST "+path, c.hooks)
		mux.HandleFunc("GET "+path, c.hooks)
	}
	mux.HandleFunc("GET /v1/source.schema.json", sourceSchema)
	mux.HandleFunc("POST /v1/numbers/lease", c.lease)
	mux.HandleFunc("GET /t.js", c.trackerScript)
	mux.HandleFunc("OPTIONS /v1/numbers/lease", c.preflight)
	mux.HandleFunc("OPTIONS /v1/events", c.preflight)
	mux.HandleFunc("OPTIONS /v1/t", c.preflight)
}

// Ready reports whether Kafka can be reached.
func (c *Collector) Ready(ctx context.Context) error {
	k := c.kafka.Load()
	if k == nil {
		return errNotConnected
	}
	return k.client.Ping(ctx)
}
