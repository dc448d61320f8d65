package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
	"github.com/throughline-io/throughline/services/reports"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

func auditCommand(load configLoader) *cobra.Command {
	var asJSON bool
	var name string
	c := &cobra.Command{
		Use:   "audit",
		Short: "Recompute everything from the raw events and show the difference",
		Long: `Recomputes every workspace from its raw events by a second, batch path and compares ledger, rows, aggregates and CRM totals
cell by cell. Exit 0: no difference. Exit 1: the rows that differ are named.

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
			s, err := joinSystem(cfg)
			if err != nil {
				return err
			}
			results, err := s.audit(cmd.Context(), list, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return printAudit(cmd.OutOrStdout(), results, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&name, "workspace", "", "audit this workspace alone")
	return c
}

// audit audits workspaces one after another; what takes long is told.
func (s *system) audit(ctx context.Context, list []workspace.Workspace, progress io.Writer) ([]*reports.AuditResult, error) {
	var out []*reports.AuditResult
	for i := range list {
		w := &list[i]
		rules, start := journeyRules(w), time.Now()
		a := reports.Audit{
			Workspace: w.Name, Recompute: func(events []*event.Event) *fact.Posting { return journey.Batch(events, rules) },
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
				fmt.Fprintf(w, "%-20s %-40s %8d compared %6d differ\n", r.Workspace, c.Name, c.Compared, c.Differences)
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
