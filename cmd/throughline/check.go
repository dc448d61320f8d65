package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func checkCommand(load configLoader) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and report every fault at once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "the configuration is well: %d workspaces\n", len(cfg.Workspaces))
			return nil
		},
	}
}
