package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// serviceCommand runs one service against engines that run elsewhere; any number of each may run.
func serviceCommand(load configLoader, name, short string, p parts, addr func(*Config) string) *cobra.Command {
	var instance string
	c := &cobra.Command{
		Use:   name,
		Short: short,
		Long: short + `, against the Kafka and ClickHouse of the configuration (or those of a running "throughline up" on
the same data directory). Any number of processes share the work. /healthz, /readyz and /metrics are served.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			override(&cfg.Kafka.TransactionalID, instance)
			s, err := joinSystem(cfg)
			if err != nil {
				return err
			}
			return s.run(cmd.Context(), p, addr(cfg), func(at string) { fmt.Fprintln(cmd.ErrOrStderr(), "throughline:", name, "on http://"+at) })
		},
	}
	if p.stitcher {
		c.Flags().StringVar(&instance, "transactional-id", "", "this process's name in Kafka's transactions: the same at every start, another for each process")
	}
	return c
}

func collectorCommand(load configLoader) *cobra.Command {
	return serviceCommand(load, "collector", "Run the collector: events over HTTP into Kafka", parts{collector: true}, (*Config).collectorAddr)
}

func stitcherCommand(load configLoader) *cobra.Command {
	return serviceCommand(load, "stitcher", "Run the stitcher: events into facts, exactly once", parts{stitcher: true}, (*Config).stitcherAddr)
}

func loaderCommand(load configLoader) *cobra.Command {
	return serviceCommand(load, "loader", "Run the loader: facts into ClickHouse, exactly once", parts{loader: true}, (*Config).loaderAddr)
}

func reportsCommand(load configLoader) *cobra.Command {
	return serviceCommand(load, "reports", "Run the reports API: answers over HTTP, each key for its workspace", parts{reports: true}, (*Config).reportsAddr)
}
