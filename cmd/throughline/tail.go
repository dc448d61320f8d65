package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/services/tail"
)

func tailCommand(load configLoader) *cobra.Command {
	var t tail.Tail
	var since time.Duration
	c := &cobra.Command{
		Use:   "tail events|facts|dead|fetches",
		Short: "Show what travels through a topic, a JSON line a record",
		Long: `Reads a topic as an operator: it belongs to no group and changes nothing. It shows no client's phone or e-mail; of an event what
attribution looks at, of a dead letter the reason and not the item.`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"events", "facts", "dead", "fetches"},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			s, err := joinSystem(cfg)
			if err != nil {
				return err
			}
			if t.Operator, err = s.engines.Operator(); err != nil {
				return err
			}
			t.Prefix, t.Kind = cfg.Kafka.TopicPrefix, args[0]
			if since > 0 {
				t.Since = time.Now().Add(-since)
			}
			return t.Run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringVar(&t.Filter.Workspace, "workspace", "", "of this workspace alone")
	f.StringVar(&t.Filter.Source, "source", "", "of this source alone: an event's, or a workspace's name for a vendor")
	f.StringVar(&t.Filter.Type, "type", "", "events of this type alone")
	f.StringVar(&t.Filter.Code, "code", "", "dead letters of this code alone")
	f.DurationVar(&since, "since", 0, "what was written in the last so long; all that is kept, if left out")
	f.BoolVar(&t.Follow, "follow", false, "go on with what comes, until Ctrl-C")
	f.IntVar(&t.Most, "limit", 0, "show so many and end")
	return c
}
