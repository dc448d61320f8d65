package loader

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/internal/clickhouse"
	"github.com/throughline-io/throughline/services/internal/embedded"
)

// The engines of this package's tests: real ones, started by the first test that asks, ended with the program.
// What is promised here is promised by them together, so no imitation stands in for either. Tests share them and keep
// apart by workspace and topic prefix. When a test fails, the data directory stays for a look.
var engines struct {
	sync.Mutex
	dir        string
	clickhouse *embedded.ClickHouse
	kafka      embedded.Brokers
}

// Passwords of the tests' users.
const (
	writerPassword = "writer's"
	annaPassword   = "anna's"
	bertaPassword  = "berta's"
)

func TestMain(m *testing.M) {
	embedded.Main()
	code := m.Run()
	if engines.clickhouse != nil {
		engines.clickhouse.Stop()
	}
	if engines.kafka != nil {
		engines.kafka.Stop()
	}
	switch {
	case engines.dir == "":
	case code != 0:
		fmt.Fprintln(os.Stderr, "the engines' data is kept in", engines.dir)
	default:
		if err := os.RemoveAll(engines.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

func engineConfig(t testing.TB) embedded.Config {
	t.Helper()
	embedded.TestEngines(t)
	if engines.dir == "" {
		dir, err := os.MkdirTemp("", "throughline-loader-")
		if err != nil {
			t.Fatal(err)
		}
		engines.dir = dir
	}
	cfg := embedded.Config{
		Data: engines.dir, Engines: embedded.EnginesDir(), Kafka: "127.0.0.1:0", ClickHouse: "127.0.0.1:0", ClickHouseHTTP: "127.0.0.1:0",
	}
	for _, u := range schema.Users(writerPassword, "", map[string]string{"anna": annaPassword, "berta": bertaPassword}) {
		cfg.Users = append(cfg.Users, embedded.User{
			Name: u.Name, Password: u.Password, Settings: u.Settings, Changeable: u.Changeable, Grants: u.Grants, Filters: u.Filters,
		})
	}
	return cfg
}

// realClickHouse is a migrated ClickHouse.
func realClickHouse(t testing.TB) *embedded.ClickHouse {
	t.Helper()
	engines.Lock()
	defer engines.Unlock()
	if engines.clickhouse != nil {
		return engines.clickhouse
	}
	c, err := embedded.StartClickHouse(t.Context(), engineConfig(t), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := clickhouse.Migrate(t.Context(), admin(c), schema.Migrations(), schema.Views()); err != nil {
		c.Stop()
		t.Fatal(err)
	}
	engines.clickhouse = c
	return c
}

// realKafka is a broker or a cluster, and how to reach it.
func realKafka(t testing.TB) []kgo.Opt {
	t.Helper()
	engines.Lock()
	defer engines.Unlock()
	if engines.kafka == nil {
		k, err := embedded.StartBrokers(t.Context(), engineConfig(t), embedded.TestBrokers(), zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		engines.kafka = k
	}
	return []kgo.Opt{kgo.SeedBrokers(engines.kafka.Addrs()...)}
}

func admin(c *embedded.ClickHouse) clickhouse.Config {
	return clickhouse.Config{Addr: []string{c.Addr()}, Database: schema.Database, User: embedded.AdminUser, Password: c.AdminPassword()}
}

func connect(t testing.TB, cfg clickhouse.Config) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

// writer is the loader's own user on the shared ClickHouse.
func writer(t testing.TB) driver.Conn {
	t.Helper()
	return connect(t, clickhouse.Config{
		Addr: []string{realClickHouse(t).Addr()}, Database: schema.Database, User: schema.Writer, Password: writerPassword, MaxConns: 8,
	})
}

// ask is what a query by the administrator answers: a line a row, a tab between columns.
func ask(t testing.TB, query string) string {
	t.Helper()
	out, err := askAs(t, embedded.AdminUser, realClickHouse(t).AdminPassword(), query)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	return out
}

// askAs asks over HTTP, as BI tools do.
func askAs(t testing.TB, user, password, query string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+realClickHouse(t).HTTPAddr()+"/", strings.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(user, password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %s", res.StatusCode, body)
	}
	return strings.TrimSpace(string(body)), err
}

// eventually waits for what other processes bring about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 30 s: %s", what)
		}
	}
}
