package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/services/process"
)

func clusterCommand(load configLoader) *cobra.Command {
	var nodes int
	c := &cobra.Command{
		Use:   "cluster",
		Short: "Run several brokers and a ClickHouse on this machine, to try the services on",
		Long: `Runs brokers of Apache Kafka, each a process with a directory of its own and everything kept by all of them, and a ClickHouse, until
Ctrl-C. Services run against them with --kafka and --clickhouse, or with the same data directory. It is for tests: on one machine a
cluster makes nothing safer.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			out := cmd.ErrOrStderr()
			if err := fetchEngines(cmd.Context(), out); err != nil {
				return err
			}
			log, err := process.Logger(cfg.Log.Level, cfg.Log.Format)
			if err != nil {
				return err
			}
			wanted := cfg.wanted()
			wanted.Brokers, wanted.ClickHouse, wanted.KafkaNodes, wanted.MovePorts = nil, nil, nodes, true
			say := func(s string) { fmt.Fprintln(out, "throughline:", s) }
			e, err := process.StartEngines(cmd.Context(), wanted, log, say)
			if err != nil {
				return err
			}
			defer e.Stop()
			if err := e.WriteAddresses(cfg.Data); err != nil {
				return err
			}
			say("brokers: " + strings.Join(e.Brokers, ",") + "  clickhouse: " + strings.Join(e.ClickHouse, ",") + "; Ctrl-C ends them")
			<-cmd.Context().Done()
			return nil
		},
	}
	c.Flags().IntVar(&nodes, "nodes", 3, "how many brokers")
	return c
}
