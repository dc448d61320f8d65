package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/collector"
	"github.com/throughline-io/throughline/services/loader"
	"github.com/throughline-io/throughline/services/process"
	"github.com/throughline-io/throughline/services/puller"
	"github.com/throughline-io/throughline/services/reports"
	"github.com/throughline-io/throughline/services/stitcher"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

// system is what a command runs: the engines it found or started and the services in front of them.
type system struct {
	cfg      *Config
	log      *zap.Logger
	registry *prometheus.Registry
	engines  *process.Engines
	db       driver.Conn // as the loader's user
}

// wanted is which engines the configuration asks for.
func (c *Config) wanted() process.Wanted {
	return process.Wanted{
		Data: c.Data, Brokers: c.Kafka.Brokers, ClickHouse: c.ClickHouse.Addr, Admin: c.ClickHouse.AdminUser, AdminPassword: c.ClickHouse.AdminPassword,
		KafkaListen: c.Embedded.Kafka, ClickHouseListen: c.Embedded.ClickHouse, ClickHouseHTTPListen: c.Embedded.ClickHouseHTTP,
		Users: c.users(), Security: c.security(),
	}
}

func (c *Config) security() process.Security {
	return process.Security{KafkaTLS: c.Kafka.TLS, KafkaSASL: c.Kafka.SASL, ClickHouseTLS: c.ClickHouse.TLS}
}

func (c *Config) users() []schema.User {
	passwords := map[string]string{}
	for _, w := range c.Workspaces {
		if w.BIPassword != "" {
			passwords[w.Name] = w.BIPassword
		}
	}
	return schema.Users(c.ClickHouse.WriterPassword, c.ClickHouse.BIPassword, passwords)
}

// stages are those of every workspace's pipelines, in order: the funnel's.
func (c *Config) stages() (out []schema.Stage) {
	for _, w := range c.Workspaces {
		for _, p := range w.Pipelines {
			for i, name := range p.Stages {
				out = append(out, schema.Stage{Workspace: w.Name, Pipeline: p.Name, Name: name, Place: i + 1})
			}
		}
	}
	return out
}

// settings are what views need to know of the workspaces.
func (c *Config) settings() (out []schema.Settings) {
	for _, w := range c.Workspaces {
		out = append(out, schema.Settings{Workspace: w.Name, Timezone: w.Timezone, Currency: w.Currency, ChurnDays: int(w.Churn.Hours() / 24), Offsets: schema.Offsets(w.Location())})
	}
	return out
}

// startSystem starts the engines that are embedded and brings topics, tables and users up to date.
func startSystem(ctx context.Context, cfg *Config, w process.Wanted, say func(string)) (*system, error) {
	log, err := process.Logger(cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return nil, err
	}
	s := &system{cfg: cfg, log: log, registry: process.Registry()}
	say("starting the engines")
	if s.engines, err = process.StartEngines(ctx, w, log, say); err != nil {
		return nil, err
	}
	say("preparing topics and tables")
	if err := errors.Join(s.prepare(ctx), s.engines.WriteAddresses(cfg.Data)); err != nil {
		s.engines.Stop()
		return nil, err
	}
	return s, nil
}

// joinSystem uses engines that run already: of the configuration, or of a running `up` on this machine.
func joinSystem(cfg *Config) (*system, error) {
	log, err := process.Logger(cfg.Log.Level, cfg.Log.Format)
	if err != nil {
		return nil, err
	}
	e := &process.Engines{Brokers: cfg.Kafka.Brokers, ClickHouse: cfg.ClickHouse.Addr, Admin: cfg.ClickHouse.AdminUser, AdminPassword: cfg.ClickHouse.AdminPassword}
	if len(e.Brokers) == 0 || len(e.ClickHouse) == 0 {
		found, err := process.FindEngines(cfg.Data)
		if err != nil {
			return nil, err
		}
		if len(e.Brokers) == 0 {
			e.Brokers = found.Brokers
		}
		if len(e.ClickHouse) == 0 {
			e.ClickHouse, e.ClickHouseHTTP = found.ClickHouse, found.ClickHouseHTTP
		}
	}
	if err := e.Secure(cfg.security()); err != nil {
		return nil, err
	}
	s := &system{cfg: cfg, log: log, registry: process.Registry(), engines: e}
	s.db, err = process.OpenClickHouse(e, schema.Writer, cfg.ClickHouse.WriterPassword, connections)
	return s, err
}

// connections bounds the connections to ClickHouse of one process.
const connections = 6

func (s *system) prepare(ctx context.Context) (err error) {
	if err := process.EnsureTopics(ctx, s.engines.Connect(), s.cfg.Kafka.TopicPrefix, s.cfg.Kafka.Partitions); err != nil {
		return err
	}
	if err := process.Migrate(ctx, s.engines, s.cfg.users(), s.cfg.stages(), s.cfg.settings()); err != nil {
		return err
	}
	s.db, err = process.OpenClickHouse(s.engines, schema.Writer, s.cfg.ClickHouse.WriterPassword, connections)
	return err
}

func (s *system) stop() {
	if s.db != nil {
		_ = s.db.Close() // nothing is written any more
	}
	s.engines.Stop()
	_ = s.log.Sync() // standard error may not be a file that can be synced
}

// parts are the services that a process runs.
type parts struct{ collector, puller, stitcher, loader, reports bool }

// everything is what one process that is the whole system runs.
var everything = parts{true, true, true, true, true}

// run runs services and their pages until ctx is done. The address is where the pages are; listening is told it.
func (s *system) run(ctx context.Context, p parts, addr string, listening func(addr string)) error {
	var (
		services []service
		register []func(*http.ServeMux)
		checks   []func(context.Context) error
	)
	var at string                   // where the pages are, once they are
	var follow []func(*sources.Set) // who uses the sources
	if p.collector {
		cfg := s.collectorConfig()
		cfg.Advertise = func() string { return "http://" + or(s.cfg.Listen.Advertise, at) }
		c := collector.New(cfg, s.cfg.Workspaces, s.registry, s.log)
		services, register, checks = append(services, service{"collector", c.Run}), append(register, c.Register), append(checks, c.Ready)
		follow = append(follow, c.UseSources)
	}
	if p.puller {
		pl := puller.New(s.pullerConfig(), s.cfg.set, s.registry, s.log)
		services, follow = append(services, service{"puller", pl.Run}), append(follow, pl.UseSources)
	}
	if p.stitcher {
		st := stitcher.New(s.stitcherConfig(), rulesOf(s.cfg.Workspaces), readRules, s.registry, s.log)
		services = append(services, service{"stitcher", st.Run})
	}
	if p.loader {
		l := loader.New(s.loaderConfig(), s.db, s.registry, s.log)
		services, checks = append(services, service{"loader", l.Run}), append(checks, s.db.Ping)
	}
	if p.reports {
		db, err := process.OpenClickHouse(s.engines, schema.BI, s.cfg.ClickHouse.BIPassword, connections)
		if err != nil {
			return err
		}
		defer db.Close()
		register, checks = append(register, reports.NewAPI(db, s.cfg.Workspaces, s.registry, s.log).Register), append(checks, db.Ping)
	}
	if len(follow) > 0 {
		s.give(s.cfg.set, follow)
	}
	server, err := process.Listen(ctx, addr, s.registry, s.log, func(mux *http.ServeMux) {
		for _, r := range register {
			r(mux)
		}
	}, checks...)
	if err != nil {
		return err
	}
	at = server.Addr()
	if listening != nil {
		listening(server.Addr())
	}
	var g errgroup.Group
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, sv := range services {
		g.Go(func() error {
			process.Keep(ctx, sv.name, s.log, sv.run)
			return nil
		})
	}
	if len(follow) > 0 {
		g.Go(func() error {
			s.follow(ctx, follow)
			return nil
		})
	}
	g.Go(func() error {
		defer cancel()
		return server.Run(ctx)
	})
	return g.Wait()
}

type service struct {
	name string
	run  func(context.Context) error
}

func (s *system) collectorConfig() collector.Config {
	c := collector.DefaultConfig()
	c.Kafka, c.TopicPrefix, c.PublicURL = s.engines.Connect(), s.cfg.Kafka.TopicPrefix, s.cfg.PublicURL
	if s.cfg.MaxAhead > 0 {
		c.MaxAhead = s.cfg.MaxAhead
	}
	return c
}

func (s *system) pullerConfig() puller.Config {
	c := puller.DefaultConfig()
	c.Kafka, c.TopicPrefix, c.MaxAhead = s.engines.Connect(), s.cfg.Kafka.TopicPrefix, s.cfg.MaxAhead
	return c
}

func (s *system) stitcherConfig() stitcher.Config {
	c := stitcher.DefaultConfig()
	c.Kafka, c.TopicPrefix = s.engines.Connect(), s.cfg.Kafka.TopicPrefix
	c.TransactionalID = s.cfg.Kafka.TopicPrefix + s.cfg.Kafka.TransactionalID
	c.MaxPersonNodes = s.cfg.MaxPersonNodes
	c.StateDir = filepath.Join(s.cfg.Data, "state", c.TransactionalID)
	return c
}

func (s *system) loaderConfig() loader.Config {
	c := loader.DefaultConfig()
	c.Kafka, c.TopicPrefix = s.engines.Connect(), s.cfg.Kafka.TopicPrefix
	return c
}

// rulesOf reads the rules of every workspace.
func rulesOf(list []workspace.Workspace) map[string]stitcher.Rules {
	out := map[string]stitcher.Rules{}
	for i := range list {
		w := &list[i]
		out[w.Name] = stitcher.Rules{Rules: journeyRules(w), Config: w.Canonical()}
	}
	return out
}

func journeyRules(w *workspace.Workspace) *journey.Rules {
	return &journey.Rules{
		Workspace: w.Name, Location: w.Location(), Lookback: w.Lookback.Milliseconds(), MaxTouches: w.MaxTouches, Minor: w.Minor, CountBots: w.CountBots(),
		Lean:   w.LeanFacts(),
		Static: w.Static(), Pool: w.PoolNumbers(), Classify: w.Classifier().Classify, Tuple: w.Classifier().Tuple,
	}
}

// readRules makes rules of a configuration that facts were computed by before.
func readRules(canonical []byte) (*journey.Rules, error) {
	w, err := workspace.FromCanonical(canonical)
	if err != nil {
		return nil, err
	}
	return journeyRules(w), nil
}

// workspaceNamed finds a workspace of the configuration; an empty name is the only one there is.
func (c *Config) workspaceNamed(name string) (*workspace.Workspace, error) {
	var names []string
	for i := range c.Workspaces {
		if c.Workspaces[i].Name == name || name == "" && len(c.Workspaces) == 1 {
			return &c.Workspaces[i], nil
		}
		names = append(names, c.Workspaces[i].Name)
	}
	return nil, fmt.Errorf("no workspace %q in the configuration; it has %v", name, names)
}
