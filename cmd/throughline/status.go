package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/loader"
	"github.com/throughline-io/throughline/services/process"
	"github.com/throughline-io/throughline/services/puller"
	"github.com/throughline-io/throughline/services/reports"
	"github.com/throughline-io/throughline/services/stitcher"
)

// stageLag is how far one stage is behind.
type stageLag struct {
	Stage string `json:"stage"`
	Topic string `json:"topic"`
	Lag   int64  `json:"lag"` // records
}

// status is what `throughline status --json` prints.
type status struct {
	Drained bool       `json:"drained"`
	Stages  []stageLag `json:"stages"`
	// Large are the people with more identifiers than max_person_nodes, the largest first.
	Large []reports.LargePerson `json:"large_persons"`
	// Asked is how what vendors are asked for stands.
	Asked *puller.Status `json:"asked"`
	// Unchecked are the webhooks of sources that anybody may use who knows their address.
	Unchecked []uncheckedHook `json:"unchecked_sources"`
}

type uncheckedHook struct {
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
	Entry     string `json:"entry"`
	Why       string `json:"why"`
}

// unchecked lists them.
func (c *Config) unchecked() []uncheckedHook {
	out := []uncheckedHook{}
	if c.set == nil {
		return out
	}
	for _, i := range c.set.Instances {
		for _, e := range i.Unchecked() {
			out = append(out, uncheckedHook{i.Workspace.Name, i.Name, e.Name, e.Unchecked})
		}
	}
	return out
}

func statusCommand(load configLoader) *cobra.Command {
	var wait time.Duration
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Show how far every stage is behind",
		Long: `Shows how many records each stage has still to take, when each pull last succeeded and is next due, and who has more identifiers than max_person_nodes. With --wait it returns 0 once everything that was accepted is in
ClickHouse, and 1 if that takes longer.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			s, err := joinSystem(cfg)
			if err != nil {
				return err
			}
			st, err := s.await(cmd.Context(), wait, nil)
			if err != nil {
				return err
			}
			var asked error // of ClickHouse: without it the lag is still to be seen
			st.Large, asked = reports.LargePersons(cmd.Context(), s.db, cfg.MaxPersonNodes)
			if err := errors.Join(asked, st.print(cmd.OutOrStdout(), asJSON)); err != nil {
				return err
			}
			if wait > 0 && !st.Drained {
				return exitStatus(1)
			}
			return nil
		},
	}
	c.Flags().DurationVar(&wait, "wait", 0, "wait this long for everything to be drained into ClickHouse")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// stages are in the order that events pass them: a lag of zero in each, read in this order, means that nothing is under way.
func (s *system) stages() []stageLag {
	return []stageLag{
		{stagePuller, pipelines.TopicFetches, 0}, {"stitcher", pipelines.TopicEvents, 0}, {"stitcher", pipelines.TopicMessages, 0},
		{"loader", pipelines.TopicFacts, 0}, {"loader", pipelines.TopicEvents, 0}, {"loader", pipelines.TopicDead, 0},
	}
}

// stagePuller is the stage that asks vendors back.
const stagePuller = "puller"

func (s *system) status(ctx context.Context, client *kgo.Client) (*status, error) {
	groups := map[string]string{"stitcher": stitcher.DefaultConfig().Group, "loader": loader.DefaultConfig().Group}
	st := &status{Drained: true, Stages: s.stages(), Unchecked: s.cfg.unchecked()}
	prefix := s.cfg.Kafka.TopicPrefix
	var err error
	if st.Asked, err = puller.ReadStatus(ctx, s.engines.Connect(), prefix, s.cfg.set); err != nil {
		return nil, err
	}
	for i := range st.Stages {
		g := &st.Stages[i]
		if g.Stage == stagePuller { // it keeps its own offsets
			g.Lag, st.Drained = st.Asked.Behind, st.Drained && st.Asked.Behind == 0
			continue
		}
		if g.Lag, err = process.Lag(ctx, client, prefix+groups[g.Stage], prefix+g.Topic); err != nil {
			return nil, err
		}
		st.Drained = st.Drained && g.Lag == 0
	}
	return st, nil
}

// await asks until everything is drained or the time is over. Progress is told, if it is set.
func (s *system) await(ctx context.Context, wait time.Duration, progress func(*status)) (*status, error) {
	client, err := kgo.NewClient(s.engines.Connect()...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	end := time.Now().Add(wait)
	for {
		ask, cancel := context.WithTimeout(ctx, max(time.Until(end), 10*time.Second))
		st, err := s.status(ask, client)
		cancel()
		switch {
		case err != nil && (ctx.Err() != nil || time.Now().After(end)):
			return nil, err
		case err == nil && (st.Drained || time.Now().After(end)):
			return st, nil
		case err == nil && progress != nil:
			progress(st)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (st *status) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(st)
	}
	for _, g := range st.Stages {
		if _, err := fmt.Fprintf(w, "%-9s %-26s %8d behind\n", g.Stage, g.Topic, g.Lag); err != nil {
			return err
		}
	}
	if err := printAsked(w, st.Asked); err != nil {
		return err
	}
	for _, p := range st.Large {
		if _, err := fmt.Fprintf(w, "workspace %s: person %s has %d identifiers: see exclude_identities\n", p.Workspace, p.Person, p.Identifiers); err != nil {
			return err
		}
	}
	for _, u := range st.Unchecked {
		if _, err := fmt.Fprintf(w, "workspace %s: source %s, entry %s: UNCHECKED: %s\n", u.Workspace, u.Source, u.Entry, u.Why); err != nil {
			return err
		}
	}
	if st.Drained {
		_, err := fmt.Fprintln(w, "all of it is in ClickHouse")
		return err
	}
	return nil
}
