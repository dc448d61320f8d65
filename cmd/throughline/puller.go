package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/throughline-io/throughline/services/puller"
)

func pullerCommand(load configLoader) *cobra.Command {
	c := serviceCommand(load, "puller", "Run the puller: ask vendors for what they do not send", parts{puller: true}, (*Config).pullerAddr)
	c.Use = "puller [source]"
	c.Args = cobra.MaximumNArgs(1)
	serve := c.RunE
	var once bool
	var since string
	c.Flags().BoolVar(&once, "once", false, "run every pull now, or those of the named source, and end; 1 if one failed")
	c.Flags().StringVar(&since, "since", "", "with --once: from this day (2026-11-01) on, however short the pull's window is")
	c.Long += `

With --once the pulls are run now, whether they are due or not, by whichever puller works for them: this process, if no other
does. --since reaches further back than a pull's window, for a first time or after a mistake; events that were pulled before count once.`
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if !once {
			if len(args) > 0 || since != "" {
				return errors.New("a source and --since go with --once")
			}
			return serve(cmd, args)
		}
		cfg, err := load()
		if err != nil {
			return err
		}
		s, err := joinSystem(cfg)
		if err != nil {
			return err
		}
		name := ""
		if len(args) > 0 {
			name = args[0]
		}
		return s.pullOnce(cmd.Context(), cmd.OutOrStdout(), name, since)
	}
	return c
}

// pullOnce orders pulls and takes part in the work until they are done.
func (s *system) pullOnce(ctx context.Context, w io.Writer, name, since string) error {
	cfg := s.pullerConfig()
	given, err := puller.Give(ctx, cfg, s.cfg.set, name, since)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return puller.New(cfg, s.cfg.set, s.registry, s.log).Run(ctx) })
	good := false
	g.Go(func() (err error) {
		defer cancel()
		good, err = puller.Await(ctx, cfg, given, func(o puller.Outcome) {
			if o.Error != "" {
				fmt.Fprintf(w, "%s %s %s: %s\n", o.Workspace, o.Instance, o.Entry, o.Error)
				return
			}
			fmt.Fprintf(w, "%s %s %s: %d items, %d events, %d dead letters\n", o.Workspace, o.Instance, o.Entry, o.Counts.Items, o.Counts.Events, o.Counts.Letters)
		})
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if !good {
		return exitStatus(1)
	}
	return nil
}

// printAsked says how what vendors are asked for stands.
func printAsked(w io.Writer, st *puller.Status) error {
	if st == nil {
		return nil
	}
	for _, p := range st.Pulls {
		line := fmt.Sprintf("pull      %s %s %s: last success %s, next %s", p.Workspace, p.Source, p.Entry, moment(p.Last, "never"), moment(p.Next, "now"))
		if p.Failures > 0 {
			line += fmt.Sprintf("; failed %d times: %s: %s", p.Failures, p.Reason, p.Error)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	for _, f := range st.Fetches {
		if f.Waiting == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "fetch     %s %s: %d wait to be asked again, the first at %s: %s\n", f.Workspace, f.Source, f.Waiting, moment(f.Next, "once"), f.Reason); err != nil {
			return err
		}
	}
	return nil
}

func moment(t time.Time, otherwise string) string {
	if t.IsZero() {
		return otherwise
	}
	return t.Local().Format(time.DateTime)
}
