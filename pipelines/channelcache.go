package pipelines

import (
	"strings"
	"sync"

	"github.com/throughline-io/throughline/schemas/event"
)

const (
	// channelCacheSize bounds how many tuples are remembered; a company has some thousands. Past it the cache starts
	// anew, which costs less to keep right than an order of use.
	channelCacheSize = 16_384
	// channelCacheLongest bounds a remembered tuple (bytes): a sender may put a megabyte into a campaign's name.
	channelCacheLongest = 512
)

// channelCache remembers the channel of a tuple: a year of visits has few of them, and the rules try regular expressions.
type channelCache struct {
	mu    sync.RWMutex
	names map[event.UTM]string
}

func (c *channelCache) get(u event.UTM) (string, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	name, ok := c.names[u]
	return name, ok
}

func (c *channelCache) put(u event.UTM, name string) {
	if len(u.Source)+len(u.Medium)+len(u.Campaign)+len(u.Content)+len(u.Term) > channelCacheLongest {
		return
	}
	// The values may be slices of a whole event: without a copy the cache would keep that alive.
	u = event.UTM{
		Source: strings.Clone(u.Source), Medium: strings.Clone(u.Medium), Campaign: strings.Clone(u.Campaign),
		Content: strings.Clone(u.Content), Term: strings.Clone(u.Term),
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names == nil || len(c.names) >= channelCacheSize {
		c.names = map[event.UTM]string{}
	}
	c.names[u] = name
}
