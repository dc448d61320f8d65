package main

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/process"
)

// maxPartitions bounds what one cluster is asked for: three of the topics have as many each.
const maxPartitions = 1_024

// topicPrefix is what Kafka takes in a name, short enough to leave room for the topic's own.
var topicPrefix = regexp.MustCompile(`^[A-Za-z0-9._-]{0,100}$`)

// Validate reports every fault, with the path of its field and its value, and makes the workspaces ready for use.
func (c *Config) Validate() error {
	var faults []error
	add := func(path, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: "+format, append([]any{path}, args...)...))
	}
	for _, a := range []struct {
		path, value string
		optional    bool
	}{
		{"http", c.HTTP, false},
		{"listen.collector", c.Listen.Collector, true},
		{"listen.puller", c.Listen.Puller, true},
		{"listen.stitcher", c.Listen.Stitcher, true},
		{"listen.loader", c.Listen.Loader, true},
		{"listen.reports", c.Listen.Reports, true},
		{"listen.advertise", c.Listen.Advertise, true},
	} {
		if (a.value != "" || !a.optional) && !isAddress(a.value) {
			add(a.path, "%q is not host:port", a.value)
		}
	}
	if c.Data == "" {
		add("data", `"" is no directory`)
	}
	for i, b := range c.Kafka.Brokers {
		if !isAddress(b) {
			add(fmt.Sprintf("kafka.brokers[%d]", i), "%q is not host:port", b)
		}
	}
	if !topicPrefix.MatchString(c.Kafka.TopicPrefix) {
		add("kafka.topic_prefix", "%q does not match %s", c.Kafka.TopicPrefix, topicPrefix)
	}
	if c.Kafka.Partitions < 1 || c.Kafka.Partitions > maxPartitions {
		add("kafka.partitions", "%d is not between 1 and %d", c.Kafka.Partitions, maxPartitions)
	}
	if c.Kafka.TransactionalID == "" {
		add("kafka.transactional_id", `"" names nobody`)
	}
	if c.MaxPersonNodes < 1 {
		add("max_person_nodes", "%d is not positive", c.MaxPersonNodes)
	}
	if c.MaxAhead <= 0 {
		add("max_ahead", "%q is not positive", c.MaxAhead)
	}
	for i, a := range c.ClickHouse.Addr {
		if !isAddress(a) {
			add(fmt.Sprintf("clickhouse.addr[%d]", i), "%q is not host:port", a)
		}
	}
	if len(c.ClickHouse.Addr) > 0 && c.ClickHouse.AdminUser == "" {
		add("clickhouse.admin_user", `"" is no user`)
	}
	for path, t := range map[string]process.TLS{"kafka.": c.Kafka.TLS, "clickhouse.": c.ClickHouse.TLS} {
		if _, err := t.Config(); err != nil {
			faults = append(faults, fmt.Errorf("%s%w", path, err))
		}
	}
	if _, err := c.Kafka.SASL.Option(); err != nil {
		faults = append(faults, fmt.Errorf("kafka.%w", err))
	}
	if len(c.Kafka.Brokers) == 0 && (c.Kafka.TLS.Enabled || c.Kafka.SASL.Mechanism != "") {
		add("kafka.tls", "is for brokers of your own: kafka.brokers names none")
	}
	if len(c.ClickHouse.Addr) == 0 && c.ClickHouse.TLS.Enabled {
		add("clickhouse.tls", "is for servers of your own: clickhouse.addr names none")
	}
	c.validateEmbedded(add)
	if levels := []string{"debug", "info", "warn", "error"}; !slices.Contains(levels, c.Log.Level) {
		add("log.level", "%q is none of %v", c.Log.Level, levels)
	}
	if formats := []string{"auto", "human", "json"}; !slices.Contains(formats, c.Log.Format) {
		add("log.format", "%q is none of %v", c.Log.Format, formats)
	}
	if len(c.Workspaces) == 0 {
		add("workspaces", "there is none")
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme+"://"+u.Host != c.PublicURL) {
		add("public_url", "%q is no address such as https://in.shop.example", c.PublicURL)
	}
	faults = append(faults, workspace.Validate(c.Workspaces))
	set, err := sources.OpenAndBind(c.Sources, c.Workspaces)
	c.set = set
	return errors.Join(append(faults, err)...)
}

// sourceNamed finds a source.
func (c *Config) sourceNamed(name string) (*sources.Source, error) {
	if s := c.set.Sources[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("no source %q; there are %v", name, slices.Sorted(maps.Keys(c.set.Sources)))
}

func (c *Config) validateEmbedded(add func(path, format string, args ...any)) {
	taken := map[string]string{}
	for _, e := range []struct{ path, value string }{
		{"embedded.kafka", c.Embedded.Kafka},
		{"embedded.clickhouse", c.Embedded.ClickHouse},
		{"embedded.clickhouse_http", c.Embedded.ClickHouseHTTP},
	} {
		host, port, err := net.SplitHostPort(e.value)
		switch {
		case err != nil || !isAddress(e.value):
			add(e.path, "%q is not host:port", e.value)
		case !isLoopback(host):
			add(e.path, "%q is not on the loopback: an embedded engine must not be reached from outside", e.value)
		case port != "0" && taken[port] != "":
			add(e.path, "%q has the port of %s", e.value, taken[port])
		}
		taken[port] = e.path
	}
}

func isAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// isLoopback takes localhost by name: what a machine means by it is not asked here.
func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
