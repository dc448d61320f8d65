package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/pipelines/sources"
)

func sourcesCommand(load configLoader) *cobra.Command {
	c := &cobra.Command{
		Use:   "sources",
		Short: "List, show, make, test and try the sources that vendors are read by",
		Long: `A source is a folder of data: who may send, how it is read, what it means. Those that are shipped are joined by those in the
configuration's ` + "`sources`" + ` directory; one of the same name stands in place of the shipped one.`,
	}
	c.AddCommand(sourcesListCommand(load), sourcesShowCommand(load), sourcesNewCommand(load), sourcesTestCommand(load), sourcesTryCommand(load))
	return c
}

func sourcesListCommand(load configLoader) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List every source, and the workspaces that use it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(cfg.set.Sources)) {
				printSource(cmd.OutOrStdout(), cfg.set.Sources[name])
			}
			for _, i := range cfg.set.Instances {
				fmt.Fprintf(cmd.OutOrStdout(), "\nworkspace %s uses %s as %s", i.Workspace.Name, i.Source.Name, i.Name)
			}
			if len(cfg.set.Instances) > 0 {
				fmt.Fprintln(cmd.OutOrStdout())
			}
			return nil
		},
	}
}

func printSource(w io.Writer, s *sources.Source) {
	own := ""
	if s.Own {
		own = "  (your own)"
	}
	fmt.Fprintf(w, "%-16s %-20s version %s%s\n", s.Name, s.Title, s.Version, own)
	for i := range s.Entries {
		e := &s.Entries[i]
		fmt.Fprintf(w, "  %-14s %-8s %-6s → %-24s %s\n", e.Name, e.Kind, e.Read.Format, strings.Join(e.Makes, ", "), guarded(e))
	}
}

// guarded says in a few words who may send.
func guarded(e *sources.Entry) string {
	if e.Kind != sources.Webhook {
		return ""
	}
	if e.Unchecked != "" {
		return "UNCHECKED: " + e.Unchecked
	}
	var kinds []string
	for i := range e.Checks {
		kinds = append(kinds, e.Checks[i].Kind())
	}
	return "checked by " + strings.Join(kinds, ", ")
}

func sourcesShowCommand(load configLoader) *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show what a source is, what it asks a workspace for and where to send to",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			s, err := cfg.sourceNamed(args[0])
			if err != nil {
				return err
			}
			showSource(cmd.OutOrStdout(), cfg, s)
			return nil
		},
	}
}

func showSource(w io.Writer, cfg *Config, s *sources.Source) {
	printSource(w, s)
	fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(s.About))
	if s.Docs != "" {
		fmt.Fprintln(w, "vendor:", s.Docs)
	}
	for i := range s.Entries {
		if e := &s.Entries[i]; e.About != "" {
			fmt.Fprintf(w, "\nentry %s: %s\n", e.Name, strings.TrimSpace(e.About))
		}
	}
	if len(s.Settings) > 0 {
		fmt.Fprintln(w, "\nsettings:")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		d := s.Settings[name]
		fmt.Fprintf(w, "  %-20s %s%s\n", name, d.About, otherwise(d.Required, d.Default))
	}
	if len(s.Tables) > 0 {
		fmt.Fprintln(w, "\ntables:")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tables)) {
		d := s.Tables[name]
		fmt.Fprintf(w, "  %-20s %s%s\n", name, d.About, otherwise(d.Required, nil))
	}
	for _, i := range cfg.set.Instances {
		if i.Source == s {
			fmt.Fprintf(w, "\nworkspace %s, as %s\n", i.Workspace.Name, i.Name)
			if i.Key != "" {
				fmt.Fprintf(w, "  POST http://%s/v1/sources/%s/<its key>\n", cfg.collectorAddr(), s.Name)
			}
		}
	}
}

func otherwise(required bool, value any) string {
	switch {
	case required:
		return " (required)"
	case value != nil:
		return fmt.Sprintf(" (if left out: %v)", value)
	}
	return ""
}

func sourcesNewCommand(load configLoader) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a new source that passes its own test, to be changed bit by bit",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			dir := or(dir, or(cfg.Sources, "."))
			at, err := sources.New(dir, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is made; see pipelines/sources/README.md, and try:\n  throughline sources test %s --dir %s\n", at, args[0], dir)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "where to make its folder (configuration: sources, else the present directory)")
	return c
}

func sourcesTestCommand(load configLoader) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "test [NAME]",
		Short: "Send the samples of a source, or of all, to it and compare what comes out",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := sourcesIn(load, dir)
			if err != nil {
				return err
			}
			names := slices.Sorted(maps.Keys(set))
			if len(args) == 1 {
				if set[args[0]] == nil {
					return fmt.Errorf("no source %q; there are %v", args[0], names)
				}
				names = args
			}
			failures := 0
			for _, name := range names {
				r := set[name].Test(cmd.Context())
				fmt.Fprintf(cmd.OutOrStdout(), "%-16s %3d samples %4d events %3d failures\n", name, r.Samples, r.Events, len(r.Failures))
				for _, f := range r.Failures {
					fmt.Fprintln(cmd.OutOrStdout(), "  "+strings.ReplaceAll(f.Error(), "\n", "\n  "))
				}
				failures += len(r.Failures)
			}
			if failures > 0 {
				return exitStatus(1)
			}
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", "", "a directory of sources of your own (configuration: sources)")
	return c
}

// sourcesIn are the sources of a directory that a flag names, or those of the configuration.
func sourcesIn(load configLoader, dir string) (map[string]*sources.Source, error) {
	if dir == "" {
		cfg, err := load()
		if err != nil {
			return nil, err
		}
		return cfg.set.Sources, nil
	}
	list, err := sources.Open(dir)
	if err != nil {
		return nil, err
	}
	set, err := sources.Bind(list, nil)
	if err != nil {
		return nil, err
	}
	return set.Sources, nil
}
