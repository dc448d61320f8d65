package e2e

import (
	"fmt"
	"strings"
	"sync"
)

// address is where the system listens now; it comes back on another port after a kill.
type address struct {
	mu sync.Mutex
	at string
}

func newAddress(at string) *address { return &address{at: at} }

func (a *address) get() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at
}

func (a *address) set(at string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = at
}

// last is the newest value of a channel, 0 if there is none.
func last(c chan int) (n int) {
	select {
	case n = <-c:
	default:
	}
	return n
}

// joined is numbers as a row of a query has them.
func joined(ns ...int64) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ns), " ", "\t"), "[]")
}
