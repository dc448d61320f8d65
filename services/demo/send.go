package demo

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Target is where and how to send.
type Target struct {
	// URL is the collector's, or a function that finds it anew before each try, for one that comes back elsewhere.
	URL func() string
	Key string
	// Batch is how many events a request has, Workers how many requests run at once.
	Batch, Workers int
}

const (
	// firstPause is the pause after a connection broke, maxPause the longest between two tries.
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
	// tryTimeout is how long one try may take: longer than a collector waits for Kafka.
	tryTimeout = 30 * time.Second
)

// Send sends lines until all of them are acknowledged, as a sender does that loses nothing: whatever was not
// acknowledged is sent again. A rejected event ends it with an error. Progress is told the number acknowledged, if set.
func Send(ctx context.Context, to Target, lines iter.Seq[[]byte], progress func(int)) (int, error) {
	g, ctx := errgroup.WithContext(ctx)
	batches := make(chan []byte)
	var sent atomic.Int64
	for range to.Workers {
		g.Go(func() error {
			for b := range batches {
				n, err := to.post(ctx, b)
				if err != nil {
					return err
				}
				if all := sent.Add(int64(n)); progress != nil {
					progress(int(all))
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(batches)
		return cut(ctx, to.Batch, lines, batches)
	})
	err := g.Wait()
	return int(sent.Load()), err
}

// cut makes batches of lines.
func cut(ctx context.Context, size int, lines iter.Seq[[]byte], batches chan<- []byte) error {
	var b bytes.Buffer
	n := 0
	flush := func() error {
		select {
		case batches <- bytes.Clone(b.Bytes()):
			b.Reset()
			n = 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for line := range lines {
		b.Write(line)
		b.WriteByte('\n')
		if n++; n == size {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		return nil
	}
	return flush()
}

// post sends one batch until it is acknowledged and returns how many lines it had.
func (to Target) post(ctx context.Context, ndjson []byte) (int, error) {
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if _, err := z.Write(ndjson); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	for {
		pause, err := to.try(ctx, body.Bytes())
		if err != nil || pause == 0 {
			return bytes.Count(ndjson, []byte("\n")), err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(min(pause, maxPause)):
		}
	}
}

// try sends once. A pause says that it should be sent again after it; an error that it makes no sense to.
func (to Target) try(ctx context.Context, body []byte) (time.Duration, error) {
	base := to.URL()
	if u, err := url.Parse(base); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return 0, fmt.Errorf("%q is no http address", base)
	}
	try, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(try, http.MethodPost, base+"/v1/events", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+to.Key)
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return firstPause, ctx.Err() // it may be on its way back
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return firstPause, ctx.Err()
	}
	switch res.StatusCode {
	case http.StatusAccepted:
		var a struct {
			Rejected []struct{ Code, Message string } `json:"rejected"`
		}
		if err := json.Unmarshal(text, &a); err != nil {
			return 0, fmt.Errorf("an answer that cannot be read: %w", err)
		}
		if len(a.Rejected) > 0 {
			return 0, fmt.Errorf("%d events were rejected, the first with %s: %s", len(a.Rejected), a.Rejected[0].Code, a.Rejected[0].Message)
		}
		return 0, nil
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusRequestTimeout:
		seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
		if err != nil || seconds < 1 {
			seconds = 1
		}
		return time.Duration(seconds) * time.Second, nil
	}
	return 0, fmt.Errorf("HTTP %d: %s", res.StatusCode, text)
}
