package embedded

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

func testConfig(t *testing.T) Config {
	return Config{Data: t.TempDir(), Engines: EnginesDir(), Kafka: "127.0.0.1:0", ClickHouse: "127.0.0.1:0", ClickHouseHTTP: "127.0.0.1:0"}
}

func (c *ClickHouse) query(t *testing.T, sql string) string {
	t.Helper()
	out, err := c.try(sql)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c *ClickHouse) try(sql string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, "http://"+c.http+"/", strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(AdminUser, c.password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return strings.TrimSpace(string(b)), err
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 30 s: %s", what)
		}
	}
}

func TestClickHouseSurvivesKill(t *testing.T) {
	cfg := testConfig(t)
	c, err := StartClickHouse(context.Background(), cfg, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	c.query(t, "CREATE DATABASE d")
	c.query(t, "CREATE TABLE d.t (x Int32) ENGINE = MergeTree ORDER BY x")
	c.query(t, "INSERT INTO d.t SELECT number FROM numbers(1000)")
	old := c.PID()
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the engine answers again on the same port", func() bool {
		out, err := c.try("SELECT count() FROM d.t")
		return err == nil && out == "1000"
	})
	if c.PID() == old {
		t.Error("the engine was not started anew")
	}
	c.Stop()
	again, err := StartClickHouse(context.Background(), cfg, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	if got := again.query(t, "SELECT sum(x) FROM d.t"); got != "499500" {
		t.Errorf("after a stop: %s", got)
	}
}
