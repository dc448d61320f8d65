package embedded

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"go.uber.org/zap/zaptest"
)

// TestAWrongPasswordDoesNotLoseTheEngine logs in wrongly over the native protocol, which ends this build of the engine: it
// must come back by itself, with all that it had.
func TestAWrongPasswordDoesNotLoseTheEngine(t *testing.T) {
	ctx := context.Background()
	c, err := StartClickHouse(ctx, testConfig(t), zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	c.query(t, "CREATE DATABASE d")
	c.query(t, "CREATE TABLE d.t (x Int32) ENGINE = MergeTree ORDER BY x")
	c.query(t, "INSERT INTO d.t SELECT number FROM numbers(1000)")
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{c.Addr()}, Auth: clickhouse.Auth{Username: AdminUser, Password: "wrong"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Ping(ctx); err == nil {
		t.Fatal("a wrong password was let in")
	}
	eventually(t, "the engine answers", func() bool {
		out, err := c.try("SELECT count() FROM d.t")
		return err == nil && out == "1000"
	})
}

func TestTwoSystemsCannotShareADirectory(t *testing.T) {
	dir := t.TempDir()
	first, err := LockData(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockData(dir); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "--data") {
		t.Errorf("the second got %v; it should say that the directory is in use and what to do", err)
	}
	if err := first.Unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := LockData(dir)
	if err != nil {
		t.Fatalf("after the first let go: %v", err)
	}
	if err := again.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := freePort(context.Background(), l.Addr().String()); !errors.Is(err, ErrPortInUse) {
		t.Errorf("a port in use: %v", err)
	}
	if _, err := freePort(context.Background(), "0.0.0.0:0"); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("an address beyond the loopback: %v", err)
	}
	if addr, err := freePort(context.Background(), "127.0.0.1:0"); err != nil || strings.HasSuffix(addr, ":0") {
		t.Errorf("port 0 is %s, %v", addr, err)
	}
}
