package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/services/process"
)

func migrateCommand(load configLoader) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Make topics, tables, views and users of an external Kafka and ClickHouse as they must be",
		Long:  `Makes what is missing and checks the rest; a topic whose settings differ is an error that names them. "throughline up" does it at every start.`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			if len(cfg.Kafka.Brokers) == 0 || len(cfg.ClickHouse.Addr) == 0 {
				return fmt.Errorf("kafka.brokers and clickhouse.addr must be set: embedded engines are prepared by `throughline up`")
			}
			s, err := joinSystem(cfg)
			if err != nil {
				return err
			}
			if err := process.EnsureTopics(cmd.Context(), s.engines.Connect(), cfg.Kafka.TopicPrefix, cfg.Kafka.Partitions); err != nil {
				return err
			}
			if err := process.Migrate(cmd.Context(), s.engines, cfg.users(), cfg.stages(), cfg.settings()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "topics, tables, views and users are as they must be")
			return nil
		},
	}
}
