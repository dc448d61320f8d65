package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/services/replay"
)

func replayCommand(load configLoader) *cobra.Command {
	var f replay.Filter
	var since, until string
	var dry, asJSON bool
	c := &cobra.Command{
		Use:   "replay",
		Short: "Send dead letters through again, after what was wrong was mended",
		Long: `Sends what went to the dead letters through again: what a vendor sent through its mapping as it is now, what was sent as events through
the rules as they are now. It may be run any number of times: events have the same ids, so what is in already changes nothing. The
letters stay; what is still bad is counted.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			if f.Since, err = timeFlag(since); err != nil {
				return err
			}
			if f.Until, err = timeFlag(until); err != nil {
				return err
			}
			if f.Workspace != "" {
				if _, err := cfg.workspaceNamed(f.Workspace); err != nil {
					return err
				}
			}
			s, err := joinSystem(cfg)
			if err != nil {
				return err
			}
			r := replay.Replay{
				Kafka: s.engines.Connect(), Prefix: cfg.Kafka.TopicPrefix, Sources: cfg.set, Workspaces: cfg.Workspaces, Filter: f, DryRun: dry,
				MaxAhead: cfg.MaxAhead, Now: time.Now, Progress: replayProgress(cmd.ErrOrStderr()),
			}
			if r.Operator, err = s.engines.Operator(); err != nil {
				return err
			}
			result, err := r.Run(cmd.Context())
			if err != nil {
				return err
			}
			return printReplay(cmd.OutOrStdout(), result, dry, asJSON)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.Workspace, "workspace", "", "letters of this workspace alone")
	flags.StringVar(&f.Source, "source", "", "letters of this source alone: the workspace's name for a vendor, or the name of a sender's key")
	flags.StringVar(&f.Code, "code", "", "letters of this code alone, such as unmapped")
	flags.StringVar(&since, "since", "", "letters written since: a time (RFC 3339), a day, or how long ago (48h)")
	flags.StringVar(&until, "until", "", "letters written until")
	flags.BoolVar(&dry, "dry-run", false, "send nothing; say what would become of them")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// timeFlag is a time, a day or how long ago.
func timeFlag(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil {
		return time.Now().Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time such as 2026-11-01T10:00:00Z, 2026-11-01 or 48h", s)
}

func replayProgress(w io.Writer) func(done, all int64, r *replay.Result) {
	began := time.Now()
	return func(done, all int64, r *replay.Result) {
		seconds := max(time.Since(began).Seconds(), 1)
		fmt.Fprintf(w, "replay: %d of %d letters looked at, %d chosen, %d events (%.0f a second)\n", done, all, r.Letters, r.Events, float64(r.Events)/seconds)
	}
}

func printReplay(w io.Writer, r *replay.Result, dry, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	verb := "were sent"
	if dry {
		verb = "would be sent"
	}
	fmt.Fprintf(w, "%d letters: %d are whole, %d events and %d fetches %s\n", r.Letters, r.Sent, r.Events, r.Fetches, verb)
	for _, code := range slices.Sorted(maps.Keys(r.Bad)) {
		fmt.Fprintf(w, "%6d still bad: %-16s the first: %s\n", r.Bad[code], code, r.First[code])
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(w, "%6d left out: %s\n", r.Skipped[reason], reason)
	}
	return nil
}
