package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/services/importer"
	"github.com/throughline-io/throughline/services/loader"
	"github.com/throughline-io/throughline/services/stitcher"
)

func importCommand(load configLoader) *cobra.Command {
	var name, entry string
	cfg := importer.DefaultConfig()
	c := &cobra.Command{
		Use:   "import SOURCE FILE...",
		Short: "Import files of a source, or of events, of any size",
		Long: `Reads files by a source of the workspace (its own name for it, or the kind's where it has just one) and puts the events that they mean
into Kafka. "events" as the source reads canonical events, NDJSON or JSON, as POST /v1/events takes them. Files may be plain, in gzip
or in zip, workbooks (.xlsx) where the source reads such; - is standard input.

It may be killed at any moment: the same command goes on where Kafka had everything, and loses nothing. The same content again
changes nothing. Standard input has no content that could be known again: it is read from its beginning, and what came before is a
duplicate. What is rejected goes to the dead letters, with its reason and the source's version.

Live events keep their freshness: no more is sent than keeps the stages' lag (throughline status) below --max-lag records.

It ends with 0 if everything is in and good, with 1 if an item was rejected, a file could not be read to its end, or Kafka did not take
it. A file that was imported before ends as it did then.`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			config, err := load()
			if err != nil {
				return err
			}
			way, err := config.importWay(args[0], entry, name)
			if err != nil {
				return err
			}
			files, err := named(args[1:])
			if err != nil {
				return err
			}
			if !cfg.DryRun {
				if err := config.connectImport(&cfg); err != nil {
					return err
				}
			}
			return runImport(cmd, importer.New(cfg, way), files, cfg.DryRun)
		},
	}
	f := c.Flags()
	f.StringVar(&name, "workspace", "", "whose events they are; may be left out where there is one workspace")
	f.StringVar(&entry, "entry", "", "the entry of the source, where it has several for files")
	f.BoolVar(&cfg.DryRun, "dry-run", false, "read and map everything, tell what would become of it, send nothing")
	f.BoolVar(&cfg.Again, "again", false, "import from the beginning what was imported before")
	f.Int64Var(&cfg.MaxLag, "max-lag", cfg.MaxLag, "how many records may wait before the stitcher; 0 waits for nobody")
	return c
}

// loaderShare is how many times --max-lag the loader may be behind: it takes many records at once, and an event makes several.
const loaderShare = 10

// connectImport lets an import find Kafka and the stages behind it. ClickHouse is not asked for.
func (c *Config) connectImport(cfg *importer.Config) error {
	s, err := joinSystem(c)
	if err != nil {
		return err
	}
	if err := s.db.Close(); err != nil { // it was not asked for anything
		return err
	}
	cfg.Kafka, cfg.TopicPrefix = s.engines.Connect(), c.Kafka.TopicPrefix
	cfg.Stages = []importer.Stage{
		{Name: "stitcher", Group: stitcher.DefaultConfig().Group, Topics: []string{pipelines.TopicEvents, pipelines.TopicMessages}, Share: 1},
		{Name: "loader", Group: loader.DefaultConfig().Group, Topics: []string{pipelines.TopicFacts, pipelines.TopicEvents}, Share: loaderShare},
	}
	return nil
}

// importWay is how files of a source are read.
func (c *Config) importWay(source, entry, name string) (*importer.Way, error) {
	w, err := c.workspaceNamed(name)
	if err != nil {
		return nil, err
	}
	if source == importer.BuiltIn {
		return importer.Events(w, c.MaxAhead), nil
	}
	i, ok := c.set.Named(w.Name, source)
	if !ok {
		var of []*sources.Instance
		var names []string
		for _, i := range c.set.Instances {
			if i.Workspace.Name != w.Name {
				continue
			}
			names = append(names, i.Name)
			if i.Source.Name == source {
				of = append(of, i)
			}
		}
		if len(of) != 1 {
			return nil, fmt.Errorf("workspace %s has no source %q, or several of this kind; it has %s, and %q is always there", w.Name, source, strings.Join(names, ", "), importer.BuiltIn)
		}
		i = of[0]
	}
	e, err := importer.EntryOf(i.Source, entry)
	if err != nil {
		return nil, err
	}
	return importer.Through(i, e, c.MaxAhead)
}

// named are the files that arguments name: patterns that no shell has opened, too.
func named(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		if _, err := os.Stat(arg); err == nil || arg == importer.StandardInput {
			out = append(out, arg)
			continue
		}
		found, err := filepath.Glob(arg)
		if err != nil || len(found) == 0 {
			return nil, errors.Join(fmt.Errorf("no file %q", arg), err)
		}
		out = append(out, found...)
	}
	if slices.Index(out, importer.StandardInput) != lastIndex(out, importer.StandardInput) {
		return nil, errors.New("standard input can be read once")
	}
	return out, nil
}

func lastIndex(list []string, s string) int {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == s {
			return i
		}
	}
	return -1
}

func runImport(cmd *cobra.Command, im *importer.Importer, files []string, dry bool) error {
	show, stop := context.WithCancel(cmd.Context())
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		im.Show(show, cmd.ErrOrStderr(), term.IsTerminal(int(os.Stderr.Fd())))
	}()
	done, err := im.Run(cmd.Context(), files)
	stop()
	<-shown
	good := importer.Report(cmd.OutOrStdout(), done, dry)
	if errors.Is(err, context.Canceled) {
		return errors.New("import: interrupted; the same command goes on from here")
	}
	if err != nil {
		return err
	}
	if !good {
		return exitStatus(1)
	}
	return nil
}
