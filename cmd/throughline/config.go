package main

import (
	"time"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/process"
	"github.com/throughline-io/throughline/services/stitcher"
)

// Config is the one configuration file. deploy/config/throughline.yaml is a complete example.
type Config struct {
	// HTTP is where the collector, the reports API and the dashboard listen together: 127.0.0.1:8080 if left out.
	HTTP string `yaml:"http"`
	// Listen gives the services their own addresses, in deployments where each is a process of its own.
	Listen ListenConfig `yaml:"listen"`
	// Data holds the embedded engines and local state: ./data if left out.
	Data       string           `yaml:"data"`
	Kafka      KafkaConfig      `yaml:"kafka"`
	ClickHouse ClickHouseConfig `yaml:"clickhouse"`
	Embedded   EmbeddedConfig   `yaml:"embedded"`
	Log        LogConfig        `yaml:"log"`
	// MaxAhead is how far ahead of the collector's clock an event may be: 24h, the contract's, if left out. More is for
	// playing recorded stories whose end has not come yet.
	MaxAhead time.Duration `yaml:"max_ahead"`
	// MaxPersonNodes is how many identifiers a person may have before that is counted, logged and listed by status: 1000 if left
	// out. Numbers stay exact beyond it.
	MaxPersonNodes int `yaml:"max_person_nodes"`

	// Sources is a directory of sources of the user's own, beside those that are shipped: none, if left out.
	Sources string `yaml:"sources"`
	// PublicURL is where vendors reach the collector, such as https://in.shop.example: some sign it. As the request says, if left out.
	PublicURL string `yaml:"public_url"`

	// builtIn: no file was given. A default port that is taken then moves to a free one.
	builtIn bool
	// Workspaces are the tenants; at least one.
	Workspaces []workspace.Workspace `yaml:"workspaces"`

	// set is the sources, bound to the workspaces by Validate.
	set *sources.Set
}

// ListenConfig is one address a service. An empty one is HTTP, but for the puller, the stitcher and the loader, which have nothing
// but health and metrics to show and then take a port that the system chooses on the loopback.
type ListenConfig struct {
	Collector string `yaml:"collector"`
	Puller    string `yaml:"puller"`
	Stitcher  string `yaml:"stitcher"`
	Loader    string `yaml:"loader"`
	Reports   string `yaml:"reports"`
	// Advertise is the address under which other collectors reach this one: where it listens, if left out.
	Advertise string `yaml:"advertise"`
}

// KafkaConfig says where Kafka is.
type KafkaConfig struct {
	// Brokers are host:port; none means the embedded engine.
	Brokers []string `yaml:"brokers"`
	// TopicPrefix comes before every topic, transaction and group name, so that systems can share a cluster.
	TopicPrefix string `yaml:"topic_prefix"`
	// Partitions is how many each topic is made with: 12 if left out. It cannot be changed afterwards.
	Partitions int `yaml:"partitions"`
	// TransactionalID names this process's stitcher in Kafka's transactions: the same at every start, another for each
	// process. throughline-stitcher-0 if left out.
	TransactionalID string `yaml:"transactional_id"`
	// TLS and SASL are for brokers of one's own.
	TLS  process.TLS  `yaml:"tls"`
	SASL process.SASL `yaml:"sasl"`
}

// ClickHouseConfig says where ClickHouse is.
type ClickHouseConfig struct {
	// Addr are host:port of the native protocol; none means the embedded engine.
	Addr []string `yaml:"addr"`
	// AdminUser and AdminPassword make tables and users, in an engine that is not embedded: default, without a password,
	// if left out.
	AdminUser     string `yaml:"admin_user"`
	AdminPassword string `yaml:"admin_password"`
	// WriterPassword is throughline_writer's.
	WriterPassword string `yaml:"writer_password"`
	// BIPassword is throughline_bi's.
	BIPassword string `yaml:"bi_password"`
	// TLS is for the native protocol of servers of one's own.
	TLS process.TLS `yaml:"tls"`
}

// EmbeddedConfig is where the embedded engines listen. They are for one machine: only loopback addresses are taken, since
// neither engine asks for more than a password there. Port 0 is one that the system chooses.
type EmbeddedConfig struct {
	Kafka          string `yaml:"kafka"`
	ClickHouse     string `yaml:"clickhouse"`
	ClickHouseHTTP string `yaml:"clickhouse_http"`
}

// LogConfig says what is logged and how. (services/internal/telemetry has the same two; Go keeps it out of reach here.)
type LogConfig struct {
	// Level is debug, info, warn or error: what is below it is not written. info if left out.
	Level string `yaml:"level"`
	// Format is human, json or auto, if left out: human on a terminal, json otherwise.
	Format string `yaml:"format"`
}

// collectorAddr and the others are the addresses in force.
func (c *Config) collectorAddr() string { return or(c.Listen.Collector, c.HTTP) }
func (c *Config) reportsAddr() string   { return or(c.Listen.Reports, c.HTTP) }
func (c *Config) pullerAddr() string    { return or(c.Listen.Puller, anyPort) }
func (c *Config) stitcherAddr() string  { return or(c.Listen.Stitcher, anyPort) }
func (c *Config) loaderAddr() string    { return or(c.Listen.Loader, anyPort) }

const anyPort = "127.0.0.1:0"

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// settings are the defaults of everything but the workspaces.
func settings() Config {
	return Config{
		HTTP:     "127.0.0.1:8080",
		Data:     "./data",
		Kafka:    KafkaConfig{Partitions: pipelines.DefaultPartitions, TransactionalID: "throughline-stitcher-0"},
		MaxAhead: 24 * time.Hour, MaxPersonNodes: stitcher.DefaultConfig().MaxPersonNodes,
		ClickHouse: ClickHouseConfig{AdminUser: "default"},
		Embedded:   EmbeddedConfig{Kafka: "127.0.0.1:9092", ClickHouse: "127.0.0.1:9000", ClickHouseHTTP: "127.0.0.1:8123"},
		Log:        LogConfig{Level: "info", Format: "auto"},
	}
}

// DefaultConfig is what runs where no file is given: one workspace with well-known keys, on the loopback. It is for a first
// look and for development: anybody knows its keys and its pepper.
func DefaultConfig() *Config {
	c := settings()
	c.builtIn = true
	c.Workspaces = []workspace.Workspace{{
		Name: "default", Timezone: "Europe/Warsaw", Currency: "EUR", Country: "PL", Pepper: "development",
		FX: map[string]workspace.Rate{"USD": "0.92", "PLN": "0.235"},
		Keys: []workspace.Key{
			{Name: "crm", Secret: "sk_demo"},
			{Name: "bi", Report: "rk_demo"},
			{Name: "site", Public: "pk_demo", Origins: []string{"http://127.0.0.1:8080", "http://localhost:8080"}},
		},
		Pipelines: []workspace.Pipeline{{Name: "sales", Stages: []string{"new", "contact", "test_drive", "invoice"}}},
	}}
	return &c
}
