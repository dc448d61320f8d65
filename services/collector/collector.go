// Package collector takes events over HTTP and puts them into Kafka.
//
// A 2xx means that Kafka has every accepted event, acknowledged by all replicas in sync, and every rejected one as a dead
// letter. Anything else means that the sender should repeat the whole request: events have ids, so a repetition changes
// nothing. A repeated event may reach Kafka twice; the stitcher tells. Nothing is kept over a restart.
package collector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
)

// Collector is one process's door.
type Collector struct {
	cfg        Config
	keys       *workspace.Keys
	rules      map[string]*event.Rules
	log        *zap.Logger
	metrics    *metrics
	bytes      *semaphore.Weighted // of bodies being handled
	recent     *recent
	client     atomic.Pointer[kgo.Client]
	partitions atomic.Int32
}

// New makes a collector of validated workspaces; nothing happens until Run.
func New(cfg Config, workspaces []workspace.Workspace, reg prometheus.Registerer, log *zap.Logger) *Collector {
	c := &Collector{
		cfg: cfg, keys: workspace.NewKeys(workspaces), rules: map[string]*event.Rules{}, log: log, metrics: newMetrics(reg),
		bytes: semaphore.NewWeighted(cfg.MaxBodyBytes), recent: newRecent(cfg.Recent),
	}
	for i := range workspaces {
		c.rules[workspaces[i].Name] = workspaces[i].EventRules()
	}
	return c
}

// Run connects to Kafka and stays connected until ctx is done; what was produced by then is flushed.
func (c *Collector) Run(ctx context.Context) error {
	if err := c.cfg.Validate(); err != nil {
		return err
	}
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, c.cfg.Kafka...),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(c.cfg.Linger),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerBatchMaxBytes(maxRecordBytes),
		kgo.MaxBufferedRecords(c.cfg.MaxBufferedRecords),
		kgo.MaxBufferedBytes(c.cfg.MaxBufferedBytes),
		kgo.RecordDeliveryTimeout(c.cfg.DeliveryTimeout),
	)...)
	if err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	defer client.Close()
	n, err := c.countPartitions(ctx, client)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	c.partitions.Store(n)
	c.client.Store(client)
	<-ctx.Done()
	c.client.Store(nil)
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.DeliveryTimeout)
	defer cancel()
	return client.Flush(flush)
}

func (c *Collector) countPartitions(ctx context.Context, client *kgo.Client) (int32, error) {
	name := c.cfg.topic(pipelines.TopicEvents)
	topics, err := kadm.NewClient(client).ListTopics(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("collector: list topic %s: %w", name, err)
	}
	t := topics[name]
	if t.Err != nil {
		return 0, fmt.Errorf("collector: topic %s: %w (create it with `throughline migrate`)", name, t.Err)
	}
	return int32(len(t.Partitions)), nil
}

// Register adds the collector's paths.
func (c *Collector) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/events", c.events)
}

// Ready reports whether Kafka can be reached.
func (c *Collector) Ready(ctx context.Context) error {
	client := c.client.Load()
	if client == nil {
		return errNotConnected
	}
	return client.Ping(ctx)
}

var errNotConnected = errors.New("not connected to Kafka yet")

// now is the server's clock.
func (c *Collector) now() time.Time { return time.Now() }
