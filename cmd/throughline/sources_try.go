package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/items"
)

func sourcesTryCommand(load configLoader) *cobra.Command {
	var file, entry, name, workspace, dir, contentType string
	c := &cobra.Command{
		Use:   "try NAME",
		Short: "Show what a source would make of a file, item by item; nothing is sent",
		Long: `Reads a file (a webhook's body, or what an import would be given) and prints, item by item, its place and the events that it would
become, or why it is none. Nothing is sent anywhere, and no check is made. Settings and tables are those of the workspace's instance,
or the examples of the definition where no workspace uses the source.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := sourcesIn(load, dir)
			if err != nil {
				return err
			}
			s := set[args[0]]
			if s == nil {
				return fmt.Errorf("no source %q", args[0])
			}
			e := &s.Entries[0]
			if entry != "" {
				var ok bool
				if e, ok = s.Entry(entry); !ok {
					return fmt.Errorf("%s has no entry %q", s.Name, entry)
				}
			}
			i, err := instanceFor(load, s, dir, workspace, name)
			if err != nil {
				return err
			}
			in, err := os.Open(file)
			if err != nil {
				return err
			}
			defer in.Close()
			query := ""
			if e.Read.Format == "query" { // the file holds what stands behind the question mark
				text, err := io.ReadAll(io.LimitReader(in, items.Hook.Bytes))
				if err != nil {
					return err
				}
				query = strings.TrimSpace(string(text))
			}
			now := time.Now()
			t := &sources.Trial{
				Instance: i, Entry: e, Variables: i.Variables(e, now), Now: now,
				Input: items.Input{Body: in, File: file, ContentType: contentType, Query: query, Limits: items.File},
			}
			return try(cmd.Context(), cmd.OutOrStdout(), t)
		},
	}
	f := c.Flags()
	f.StringVar(&file, "file", "", "what is tried")
	f.StringVar(&entry, "entry", "", "the entry of the source; its first one, if left out")
	f.StringVar(&workspace, "workspace", "", "whose settings are taken")
	f.StringVar(&name, "as", "", "the instance in the workspace, where it has several of this source")
	f.StringVar(&dir, "dir", "", "a directory of sources of your own (configuration: sources)")
	f.StringVar(&contentType, "content-type", "", "of a multipart body")
	if err := c.MarkFlagRequired("file"); err != nil {
		panic(err) // the flag stands above
	}
	return c
}

// instanceFor is the instance of the configuration, or the source with its examples.
func instanceFor(load configLoader, s *sources.Source, dir, workspace, name string) (*sources.Instance, error) {
	if dir != "" {
		return s.Example()
	}
	cfg, err := load()
	if err != nil {
		return nil, err
	}
	for _, i := range cfg.set.Instances {
		if i.Source == s && (workspace == "" || i.Workspace.Name == workspace) && (name == "" || i.Name == name) {
			return i, nil
		}
	}
	if workspace != "" || name != "" {
		return nil, fmt.Errorf("no workspace %q uses %s as %q", workspace, s.Name, name)
	}
	return s.Example()
}

// try prints every outcome. Faults end the program with 1.
func try(ctx context.Context, w io.Writer, t *sources.Trial) error {
	good, bad, events := 0, 0, 0
	t.Run(ctx, func(o sources.Outcome) bool {
		for _, ask := range o.Asks {
			fmt.Fprintf(w, "%s: would ask %s\n", o.Item.Place, ask)
		}
		if o.Err != nil {
			bad++
			fmt.Fprintf(w, "%s: %v\n", o.Item.Place, unplaced(o.Err))
			if b, err := json.Marshal(o.Item.Value); err == nil && o.Item.Value != nil {
				fmt.Fprintf(w, "  item  %s\n", b)
			}
			return true
		}
		good++
		for _, e := range o.Events {
			events++
			fmt.Fprintf(w, "%s: %s\n", o.Item.Place, e)
		}
		if len(o.Events) == 0 && len(o.Asks) == 0 {
			fmt.Fprintf(w, "%s: means nothing\n", o.Item.Place)
		}
		return true
	})
	fmt.Fprintf(w, "%d items would become %d events, %d items are faulty; nothing was sent\n", good, events, bad)
	if bad > 0 {
		return exitStatus(1)
	}
	return nil
}

// unplaced is a fault without its place, which is printed before it.
func unplaced(err error) error {
	var f *items.Fault
	if errors.As(err, &f) {
		return f.Err
	}
	return err
}
