package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/services/reports"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

func auditCommand(load configLoader) *cobra.Command {
	var asJSON bool
	var name string
	var o auditOptions
	c := &cobra.Command{
		Use:   "audit",
		Short: "Recompute everything from the raw events and show the difference",
		Long: `Recomputes every workspace from its raw events by a second, batch path and compares three ways: the ledger and the rows beside it with
what the raw events make, aggregates with the rows that they were filled from, and sums of credits with the CRM's. Exit 0: no
difference. Exit 1: the rows that differ are named.

It holds the events of some people at a time; the others wait in files in the temporary directory ($TMPDIR).

Audit a system at rest ("throughline status --wait 60s" first): what is under way shows as a difference.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			list := cfg.Workspaces
			if name != "" {
				w, err := cfg.workspaceNamed(name)
				if err != nil {
					return err
				}
				list = []workspace.Workspace{*w}
			}
			if err := o.validate(); err != nil {
				return err
			}
			s, err := joinSystem(cfg)
			if err != nil {
				return err
			}
			results, err := s.audit(cmd.Context(), list, o, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return printAudit(cmd.OutOrStdout(), results, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&name, "workspace", "", "audit this workspace alone")
	c.Flags().StringVar(&o.from, "from", "", "compare what stands under this day (YYYY-MM-DD) or later")
	c.Flags().StringVar(&o.to, "to", "", "and under this day or earlier")
	c.Flags().IntVar(&o.atOnce, "at-once", reports.DefaultAtOnce, "events that are held at once, about")
	return c
}

// auditOptions is what of each workspace is audited.
type auditOptions struct {
	from, to string
	atOnce   int
}

func (o auditOptions) validate() error {
	for flag, day := range map[string]string{"from": o.from, "to": o.to} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return fmt.Errorf("--%s %q is not a day such as 2026-11-01", flag, day)
		}
	}
	switch {
	case o.from != "" && o.to != "" && o.to < o.from:
		return fmt.Errorf("--to %s is before --from %s", o.to, o.from)
	case o.atOnce < 1:
		return fmt.Errorf("--at-once %d is less than 1", o.atOnce)
	}
	return nil
}

// audit audits workspaces one after another; what takes long is told.
func (s *system) audit(ctx context.Context, list []workspace.Workspace, o auditOptions, progress io.Writer) ([]*reports.AuditResult, error) {
	var out []*reports.AuditResult
	for i := range list {
		w := &list[i]
		start := time.Now()
		a := reports.Audit{
			Workspace: w.Name, From: o.from, To: o.to, AtOnce: o.atOnce, Recompute: journey.NewRecompute(journeyRules(w)),
			Progress: func(what string) {
				if time.Since(start) > 2*time.Second {
					fmt.Fprintf(progress, "audit %s: %s\n", w.Name, what)
				}
			},
		}
		r, err := a.Run(ctx, s.db)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// printAudit prints results; differences end the program with 1.
func printAudit(w io.Writer, results []*reports.AuditResult, asJSON bool) error {
	differences, events := 0, 0
	for _, r := range results {
		differences, events = differences+r.Differences, events+r.Events
	}
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{"differences": differences, "events": events, "workspaces": results}); err != nil {
			return err
		}
	} else {
		for _, r := range results {
			for _, c := range r.Checks {
				fmt.Fprintf(w, "%-20s %-52s %10d compared %6d differ\n", r.Workspace, c.Name, c.Compared, c.Differences)
				for _, row := range c.Rows {
					fmt.Fprintln(w, "    ", row)
				}
			}
		}
		fmt.Fprintf(w, "audit: %d differences (%d events)\n", differences, events)
	}
	if differences > 0 {
		return exitStatus(1)
	}
	return nil
}
