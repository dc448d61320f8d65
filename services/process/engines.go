package process

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/internal/embedded"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// Wanted is which engines a system is to use: those that are named, embedded ones for the others.
type Wanted struct {
	Data    string
	Brokers []string
	// ClickHouse are host:port of the native protocol, Admin and AdminPassword who makes tables there.
	ClickHouse           []string
	Admin, AdminPassword string
	Security             Security
	// Where embedded engines listen.
	KafkaListen, ClickHouseListen, ClickHouseHTTPListen string
	Users                                               []schema.User
	// KafkaNodes is how many embedded brokers there are to be: one, if left out. More are for tests.
	KafkaNodes int
	// MovePorts lets an embedded engine take a free port where the wanted one is in use.
	MovePorts bool
}

// Engines is where the engines are, and those of them that are children of ours.
type Engines struct {
	Brokers        []string `json:"brokers"`
	ClickHouse     []string `json:"clickhouse"`
	ClickHouseHTTP string   `json:"clickhouse_http,omitempty"`
	HTTP           string   `json:"http,omitempty"`
	Admin          string   `json:"-"`
	AdminPassword  string   `json:"-"`
	Embedded       bool     `json:"-"` // ClickHouse is: its users stand in a file

	kafkaSecurity []kgo.Opt
	kafkaTLS      *tls.Config
	kafkaLogin    kafka.Login
	clickhouseTLS *tls.Config

	lock       *embedded.Lock
	kafka      interface{ Stop() }
	clickhouse *embedded.ClickHouse
}

// StartEngines takes the data directory and starts the engines that are not named, both at once. Moved ports are told.
func StartEngines(ctx context.Context, w Wanted, log *zap.Logger, say func(string)) (*Engines, error) {
	lock, err := embedded.LockData(w.Data)
	if err != nil {
		return nil, err
	}
	e := &Engines{Brokers: w.Brokers, ClickHouse: w.ClickHouse, Admin: w.Admin, AdminPassword: w.AdminPassword, lock: lock}
	if err := e.Secure(w.Security); err != nil {
		e.Stop()
		return nil, err
	}
	cfg := w.embedded()
	if w.MovePorts {
		for _, addr := range []*string{&cfg.Kafka, &cfg.ClickHouse, &cfg.ClickHouseHTTP} {
			movePort(ctx, addr, say)
		}
	}
	kafkaErr := make(chan error, 1)
	go func() { kafkaErr <- e.startKafka(ctx, cfg, w.KafkaNodes, log) }()
	if err := errors.Join(e.startClickHouse(ctx, cfg, log), <-kafkaErr); err != nil {
		e.Stop()
		return nil, err
	}
	return e, nil
}

// StartClickHouse starts a ClickHouse alone, in a data directory that nothing else uses.
func StartClickHouse(ctx context.Context, w Wanted, log *zap.Logger) (*Engines, error) {
	lock, err := embedded.LockData(w.Data)
	if err != nil {
		return nil, err
	}
	e := &Engines{lock: lock}
	if err := e.startClickHouse(ctx, w.embedded(), log); err != nil {
		e.Stop()
		return nil, err
	}
	return e, nil
}

// embedded is the configuration of embedded engines.
func (w Wanted) embedded() embedded.Config {
	cfg := embedded.Config{
		Data: w.Data, Engines: embedded.EnginesDir(), Kafka: w.KafkaListen, ClickHouse: w.ClickHouseListen, ClickHouseHTTP: w.ClickHouseHTTPListen,
	}
	for _, u := range w.Users {
		cfg.Users = append(cfg.Users, embedded.User{
			Name: u.Name, Password: u.Password, Settings: u.Settings, Changeable: u.Changeable, Grants: u.Grants, Filters: u.Filters,
		})
	}
	return cfg
}

func (e *Engines) startKafka(ctx context.Context, cfg embedded.Config, nodes int, log *zap.Logger) error {
	if len(e.Brokers) > 0 {
		return nil
	}
	k, err := embedded.StartBrokers(ctx, cfg, nodes, log)
	if err != nil {
		return err
	}
	e.kafka, e.Brokers = k, k.Addrs()
	return nil
}

func (e *Engines) startClickHouse(ctx context.Context, cfg embedded.Config, log *zap.Logger) (err error) {
	if len(e.ClickHouse) > 0 {
		return nil
	}
	if e.clickhouse, err = embedded.StartClickHouse(ctx, cfg, log); err != nil {
		return err
	}
	e.ClickHouse, e.ClickHouseHTTP, e.Embedded = []string{e.clickhouse.Addr()}, e.clickhouse.HTTPAddr(), true
	e.Admin, e.AdminPassword = embedded.AdminUser, e.clickhouse.AdminPassword()
	return nil
}

// movePort replaces the port of an address that is in use by one that the system chooses.
func movePort(ctx context.Context, addr *string, say func(string)) {
	if l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr); err == nil {
		_ = l.Close() // it was taken only to see whether it is free
		return
	}
	host, port, err := net.SplitHostPort(*addr)
	if err != nil {
		return // the engine's own check says what is wrong
	}
	say(fmt.Sprintf("port %s of %s is in use: taking a free one", port, host))
	*addr = net.JoinHostPort(host, "0")
}

// Stop ends the engines in order, ClickHouse first, and lets the data directory go.
func (e *Engines) Stop() {
	if e.clickhouse != nil {
		e.clickhouse.Stop()
	}
	if e.kafka != nil {
		e.kafka.Stop()
	}
	_ = e.lock.Unlock() // the process's end would do it too
}

// How long a broker may keep us waiting: to take a connection, to answer a request beyond the time that the request itself gives it,
// and between requests.
const (
	kafkaDial   = 5 * time.Second
	kafkaAnswer = 10 * time.Second
	kafkaIdle   = time.Minute
)

// Connect says how to reach the brokers.
func (e *Engines) Connect() []kgo.Opt {
	return append([]kgo.Opt{
		kgo.SeedBrokers(e.Brokers...), kgo.ClientID("throughline"), kgo.DialTimeout(kafkaDial), kgo.RequestTimeoutOverhead(kafkaAnswer),
		kgo.ConnIdleTimeout(kafkaIdle),
	}, e.kafkaSecurity...)
}

// addresses is the file in the data directory that tells other commands where a running system's engines are.
const addresses = "addresses.json"

// Operator reads topics for whoever looks after the system.
func (e *Engines) Operator() (*kafka.Operator, error) {
	return kafka.NewOperator(e.Brokers, e.kafkaTLS, e.kafkaLogin)
}

// WriteAddresses tells other commands where the engines are.
func (e *Engines) WriteAddresses(data string) error {
	b, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(data, addresses)
	if err := os.WriteFile(path+".part", append(b, '\n'), 0o640); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// FindEngines is where a system that runs on this data directory has its engines.
func FindEngines(data string) (*Engines, error) {
	b, err := os.ReadFile(filepath.Join(data, addresses))
	if err != nil {
		return nil, fmt.Errorf("no system has run on data directory %s (%w): start one with `throughline up`, or name engines with kafka.brokers and clickhouse.addr", data, err)
	}
	e := &Engines{}
	if err := json.Unmarshal(b, e); err != nil {
		return nil, fmt.Errorf("%s in %s: %w", addresses, data, err)
	}
	return e, nil
}

// FetchEngines brings the engines that are not on this machine yet.
func FetchEngines(ctx context.Context, say io.Writer) error {
	return embedded.Fetch(ctx, embedded.EnginesDir(), say)
}

// EnginesDir is where engines are kept.
func EnginesDir() string { return embedded.EnginesDir() }
