package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// The processes share the partitions of the log of leases as a consumer group that reads nothing: who is assigned a partition owns
// its pools. A member's client id is its address, so that the others know where to send a visitor on to.

// forwarded marks a request that was sent on once, and is not sent on again.
const forwarded = "Throughline-Forwarded"

// ownersFresh is how long what was learned of the owners is believed without another look.
const ownersFresh = 5 * time.Second

type ownersCache struct {
	sync.Mutex
	at   time.Time
	urls map[int32]string
}

func (c *Collector) leaseGroup() string { return c.cfg.TopicPrefix + "throughline.leases" }

// runLeases takes part in giving out numbers until ctx is done.
func (c *Collector) runLeases(ctx context.Context) error {
	if len(c.pools) == 0 {
		return nil
	}
	topic := c.cfg.leasesTopic()
	var owners sync.WaitGroup
	stops := map[int32]context.CancelFunc{}
	var mu sync.Mutex
	take := func(_ context.Context, _ *kgo.Client, given map[string][]int32) {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range given[topic] {
			if !c.hasPools(p) {
				continue
			}
			asks := make(chan *ask, maxAsks)
			life, stop := context.WithCancel(ctx)
			stops[p] = stop
			c.leases.mu.Lock()
			c.leases.owned[p] = asks
			c.leases.mu.Unlock()
			owners.Go(func() { c.own(life, p, asks) })
		}
	}
	leave := func(_ context.Context, _ *kgo.Client, taken map[string][]int32) {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range taken[topic] {
			if stop := stops[p]; stop != nil {
				c.leases.mu.Lock()
				delete(c.leases.owned, p)
				c.leases.mu.Unlock()
				stop()
				delete(stops, p)
			}
		}
	}
	group, err := kgo.NewClient(append(append([]kgo.Opt{}, c.cfg.Kafka...),
		kgo.ClientID(c.cfg.Advertise()), kgo.ConsumerGroup(c.leaseGroup()), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(take), kgo.OnPartitionsRevoked(leave), kgo.OnPartitionsLost(leave), kgo.SessionTimeout(leaseSession), kgo.HeartbeatInterval(leaseSession/3),
	)...)
	if err != nil {
		return fmt.Errorf("leases: %w", err)
	}
	group.PauseFetchTopics(topic)
	<-ctx.Done()
	group.Close()
	owners.Wait()
	return nil
}

// leaseSession is after how long without a heartbeat a process's pools go to others.
const leaseSession = 6 * time.Second

func (c *Collector) hasPools(partition int32) bool {
	for id := range c.pools {
		if id.partition(c.leases.partitions) == partition {
			return true
		}
	}
	return false
}

// forward sends a visitor's request on to the process that owns the partition.
func (c *Collector) forward(w http.ResponseWriter, r *http.Request, body []byte, partition int32) {
	if r.Header.Get(forwarded) != "" {
		c.later(w, http.StatusServiceUnavailable, "unavailable", "the pool is changing hands: ask again after a pause")
		return
	}
	url, err := c.ownerOf(r.Context(), partition)
	if err == nil {
		err = c.send(w, r, body, url)
	}
	if err != nil {
		c.leases.owners.Lock()
		c.leases.owners.at = time.Time{} // look again
		c.leases.owners.Unlock()
		c.log.Debug("a visitor's request could not be sent on", zap.Int32("partition", partition), zap.Error(err))
		c.later(w, http.StatusServiceUnavailable, "unavailable", "the pool is changing hands: ask again after a pause")
	}
}

func (c *Collector) send(w http.ResponseWriter, r *http.Request, body []byte, url string) error {
	ctx, cancel := context.WithTimeout(r.Context(), c.cfg.DeliveryTimeout)
	defer cancel()
	on, err := http.NewRequestWithContext(ctx, http.MethodPost, url+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	for _, h := range []string{"Authorization", "Origin", "Referer", "User-Agent", "Sec-Gpc", "Content-Type"} {
		if v := r.Header.Get(h); v != "" {
			on.Header.Set(h, v)
		}
	}
	on.Header.Set(forwarded, "1")
	res, err := c.client.Do(on)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, MaxLeaseBytes))
	if err != nil {
		return err
	}
	for _, h := range []string{"Content-Type", "Cache-Control", "Retry-After"} {
		if v := res.Header.Get(h); v != "" {
			w.Header().Set(h, v)
		}
	}
	c.metrics.forwarded.Inc()
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(answer) // a page that has gone needs no number
	return nil
}

var errNoOwner = errors.New("nobody owns the pool at the moment")

// ownerOf is the address of the process that is assigned a partition.
func (c *Collector) ownerOf(ctx context.Context, partition int32) (string, error) {
	o := &c.leases.owners
	o.Lock()
	defer o.Unlock()
	if time.Since(o.at) > ownersFresh {
		k := c.kafka.Load()
		if k == nil {
			return "", errNotConnected
		}
		groups, err := kadm.NewClient(k.client).DescribeGroups(ctx, c.leaseGroup())
		if err == nil {
			err = groups[c.leaseGroup()].Err
		}
		if err != nil {
			return "", fmt.Errorf("leases: who owns what: %w", err)
		}
		o.urls = map[int32]string{}
		for _, m := range groups[c.leaseGroup()].Members {
			assigned, ok := m.Assigned.AsConsumer()
			if !ok {
				continue
			}
			for _, t := range assigned.Topics {
				for _, p := range t.Partitions {
					o.urls[p] = m.ClientID
				}
			}
		}
		o.at = time.Now()
	}
	url := o.urls[partition]
	if url == "" {
		return "", errNoOwner
	}
	return url, nil
}
