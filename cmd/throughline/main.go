// Command throughline is the whole system: each service, all of them together, and the operator's tools.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/services/process"
)

func main() {
	process.Main() // a child that runs an engine never comes back from here
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := command().ExecuteContext(ctx); err != nil {
		var status exitStatus
		if errors.As(err, &status) {
			os.Exit(int(status))
		}
		fmt.Fprintln(os.Stderr, "throughline:", err)
		os.Exit(1)
	}
}

// exitStatus ends the program with a status after everything was said.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

func command() *cobra.Command {
	var config, data string
	root := &cobra.Command{
		Use:   "throughline",
		Short: "End-to-end attribution that a finance director believes",
		Long: `Throughline joins site visits, calls, messengers and CRM deals by client identity and answers, in SQL, which
channel, campaign and ad brought real, paid, unreturned money, and what it cost.

Begin with "throughline demo". "throughline up" runs the whole system on this machine.`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&config, "config", "", "configuration file; default $THROUGHLINE_CONFIG, else built-in defaults for a first look")
	root.PersistentFlags().StringVar(&data, "data", "", "data directory (configuration: data), where a running system is found too")
	load := func() (*Config, error) {
		cfg, err := LoadConfig(config)
		if err != nil {
			return nil, err
		}
		override(&cfg.Data, data)
		return cfg, nil
	}
	root.AddCommand(
		upCommand(load), demoCommand(), checkCommand(load), statusCommand(load), auditCommand(load), migrateCommand(load), enginesCommand(),
		numbersCommand(load), collectorCommand(load), pullerCommand(load), stitcherCommand(load), loaderCommand(load), reportsCommand(load), clusterCommand(load),
		sourcesCommand(load), importCommand(load), tailCommand(load), replayCommand(load),
	)
	return root
}

// loader reads the configuration that the flags name.
type configLoader = func() (*Config, error)
