package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

// ErrPortInUse says that a configured port is taken by another program.
var ErrPortInUse = errors.New("port in use")

// Ports that are chosen for "port 0": above those of well-known programs.
const (
	lowestPort = 15_000
	portTries  = 100
)

// freePort resolves an address: port 0 to a free one; a taken one is ErrPortInUse; anything but the loopback is refused.
func freePort(ctx context.Context, addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("address %q: embedded engines listen on the loopback only; for others use --kafka and --clickhouse with engines of your own", addr)
	}
	if port == "0" {
		// Below the ports of outgoing connections. A port of these could be gone when its engine comes back from a crash: to a
		// client that tries to reach it meanwhile, even.
		if first := firstOutgoing(); first > lowestPort {
			for range portTries {
				try := net.JoinHostPort(host, strconv.Itoa(lowestPort+rand.IntN(first-lowestPort)))
				if free, err := probe(ctx, try); err == nil {
					return free, nil
				}
			}
		}
	}
	return probe(ctx, addr)
}

func probe(ctx context.Context, addr string) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrPortInUse, addr, err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// firstOutgoing is the lowest port that the system gives to an outgoing connection; 0 where it does not say.
func firstOutgoing() (first int) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0
	}
	if _, err := fmt.Sscan(string(b), &first); err != nil {
		return 0
	}
	return first
}
