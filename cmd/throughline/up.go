package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func upCommand(load configLoader) *cobra.Command {
	var httpAddr string
	var kafka, clickhouse []string
	c := &cobra.Command{
		Use:   "up",
		Short: "Run the whole system with one command",
		Long: `Runs collector, puller, stitcher, loader and reports in this process, with a real Apache Kafka and a real ClickHouse as children unless
addresses are given. All state is in the data directory and survives restarts and kill -9 of any or all of it.

Embedded engines listen on the loopback only. Engines that are not on this machine yet are fetched first.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			override(&cfg.HTTP, httpAddr)
			if len(kafka) > 0 {
				cfg.Kafka.Brokers = kafka
			}
			if len(clickhouse) > 0 {
				cfg.ClickHouse.Addr = clickhouse
			}
			out := cmd.ErrOrStderr()
			if err := fetchFor(cmd, cfg, out); err != nil {
				return err
			}
			say := func(s string) { fmt.Fprintln(out, "throughline:", s) }
			wanted := cfg.wanted()
			addr := cfg.collectorAddr()
			if cfg.builtIn {
				wanted.MovePorts = true
				if httpAddr == "" {
					addr = freeAddr(cmd.Context(), addr, say)
				}
			}
			s, err := startSystem(cmd.Context(), cfg, wanted, say)
			if err != nil {
				return err
			}
			defer s.stop()
			return s.run(cmd.Context(), everything, addr, func(addr string) {
				s.engines.HTTP = addr
				if err := s.engines.WriteAddresses(cfg.Data); err != nil {
					say(err.Error())
				}
				say("events: http://" + addr + "/v1/events, reports: http://" + addr + "/api/v1/reports")
				say("kafka: " + fmt.Sprint(s.engines.Brokers) + ", clickhouse: " + fmt.Sprint(s.engines.ClickHouse) + " " + s.engines.ClickHouseHTTP)
				say("ready; Ctrl-C ends it")
			})
		},
	}
	f := c.Flags()
	f.StringVar(&httpAddr, "http", "", "address of the collector and its pages (configuration: http)")
	f.StringSliceVar(&kafka, "kafka", nil, "brokers to use instead of an embedded Kafka")
	f.StringSliceVar(&clickhouse, "clickhouse", nil, "ClickHouse (native protocol) to use instead of an embedded one")
	return c
}

func override(to *string, flag string) {
	if flag != "" {
		*to = flag
	}
}

// fetchFor fetches the engines if the configuration needs any.
func fetchFor(cmd *cobra.Command, cfg *Config, out io.Writer) error {
	if len(cfg.Kafka.Brokers) > 0 && len(cfg.ClickHouse.Addr) > 0 {
		return nil
	}
	return fetchEngines(cmd.Context(), out)
}
