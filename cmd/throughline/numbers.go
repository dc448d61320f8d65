package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/throughline-io/throughline/services/collector"
	"github.com/throughline-io/throughline/services/collector/numbers"
)

// hourForm is how the log of leases names an hour.
const hourForm = "2006-01-02T15"

// poolReport is what one pool was asked for, in all and by the hour of the day.
type poolReport struct {
	Pool    string `json:"pool"`
	Numbers int    `json:"numbers"`
	demand
	Hours []hourReport `json:"hours"`
}

type hourReport struct {
	Hour int `json:"hour"` // of the day, in the workspace's time zone
	demand
}

type demand struct {
	Visitors int `json:"visitors"`
	Dry      int `json:"dry"`
	// Enough is how many numbers would have sufficed for 99 and for 99.9 per cent of the visitors.
	Enough99  int `json:"enough_99"`
	Enough999 int `json:"enough_99_9"`
}

func demandOf(h *numbers.Hour) demand {
	return demand{h.Visitors, h.Dry, h.Enough(0.99), h.Enough(0.999)}
}

func numbersCommand(load configLoader) *cobra.Command {
	var name string
	var days int
	var asJSON bool
	c := &cobra.Command{
		Use:   "numbers",
		Short: "Show how often a pool of numbers ran dry, and how many would have sufficed",
		Long: `Shows, for each pool of a workspace and each hour of the day: how many visitors came who held no number, how many of
them found none, and how many numbers would have sufficed for 99 and 99.9 per cent of them. The last 90 days are kept.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			w, err := cfg.workspaceNamed(name)
			if err != nil {
				return err
			}
			s, err := joinSystem(cfg)
			if err != nil {
				return err
			}
			pools, err := collector.PoolDemand(cmd.Context(), s.engines.Connect(), cfg.Kafka.TopicPrefix, w.Name)
			if err != nil {
				return err
			}
			size := map[string]int{}
			for _, p := range w.Pools {
				size[p.Name] = len(p.Numbers)
			}
			since := time.Now().AddDate(0, 0, -days)
			var reports []poolReport
			for _, pool := range slices.Sorted(maps.Keys(pools)) {
				r, err := reportPool(pools[pool], since, w.Location())
				if err != nil {
					return err
				}
				r.Pool, r.Numbers = pool, size[pool]
				reports = append(reports, r)
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(reports)
			}
			return printPools(cmd.OutOrStdout(), reports, days)
		},
	}
	c.Flags().StringVar(&name, "workspace", "", "whose pools; may be left out where there is one workspace")
	c.Flags().IntVar(&days, "days", 30, "how many days back")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func reportPool(hours map[string]numbers.Hour, since time.Time, zone *time.Location) (poolReport, error) {
	var all numbers.Hour
	byHour := map[int]*numbers.Hour{}
	for at, h := range hours {
		t, err := time.Parse(hourForm, at)
		if err != nil {
			return poolReport{}, fmt.Errorf("the log of leases: %w", err)
		}
		if t.Before(since.Truncate(time.Hour)) {
			continue
		}
		of := t.In(zone).Hour()
		if byHour[of] == nil {
			byHour[of] = &numbers.Hour{}
		}
		byHour[of].Add(h)
		all.Add(h)
	}
	r := poolReport{demand: demandOf(&all)}
	for _, of := range slices.Sorted(maps.Keys(byHour)) {
		r.Hours = append(r.Hours, hourReport{of, demandOf(byHour[of])})
	}
	return r, nil
}

func printPools(w io.Writer, reports []poolReport, days int) error {
	if len(reports) == 0 {
		_, err := fmt.Fprintf(w, "no visitor asked for a number in the last %d days\n", days)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "pool\thour\tvisitors\tfound none\tnumbers\tfor 99 %\tfor 99.9 %\t")
	for _, r := range reports {
		line := func(hour string, d demand) {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t\n", r.Pool, hour, d.Visitors, d.Dry, r.Numbers, d.Enough99, d.Enough999)
		}
		for _, h := range r.Hours {
			line(fmt.Sprintf("%02d:00", h.Hour), h.demand)
		}
		line("all", r.demand)
	}
	return t.Flush()
}
