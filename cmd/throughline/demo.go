package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/throughline-io/throughline/services/demo"
	"github.com/throughline-io/throughline/services/reports"
)

// demoRun is one run of the demo.
type demoRun struct {
	cmd   *cobra.Command
	out   io.Writer // the table and what it means
	err   io.Writer // progress
	once  bool
	story demo.Config
}

func demoCommand() *cobra.Command {
	d := &demoRun{story: demo.DefaultConfig(time.Now())}
	var data string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole system at work on a company whose answers are known",
		Long: `Starts the whole system on this machine, tells it three months of a car dealer over HTTP, waits until everything is in
ClickHouse, audits it and prints what each channel brought, by two models side by side.

On a terminal it stays up until Ctrl-C, so that you can look around in ClickHouse; otherwise, or with --once, it ends with 0, or
with 1 if the audit found a difference. Nothing is kept, unless --data is given.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			d.cmd, d.out, d.err = cmd, cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := d.story.Validate(); err != nil {
				return err
			}
			if data == "" {
				if data, err = os.MkdirTemp("", "throughline-demo-"); err != nil {
					return err
				}
				defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
			}
			return d.run(cmd.Context(), data)
		},
	}
	c.Flags().BoolVar(&d.once, "once", false, "end after the table, on a terminal too")
	c.Flags().StringVar(&data, "data", "", "keep the data in this directory (a new one)")
	c.Flags().IntVar(&d.story.People, "people", d.story.People, "how many people the story has")
	c.Flags().Uint64Var(&d.story.Seed, "seed", d.story.Seed, "which story to tell")
	return c
}

func (d *demoRun) say(s string) { fmt.Fprintln(d.err, "demo:", s) }

func (d *demoRun) run(ctx context.Context, data string) error {
	if err := fetchEngines(ctx, d.err); err != nil {
		return err
	}
	cfg := DefaultConfig()
	if err := cfg.Validate(); err != nil {
		return err
	}
	cfg.Data, cfg.Log.Level = data, "warn"
	wanted := cfg.wanted()
	wanted.MovePorts = true
	s, err := startSystem(ctx, cfg, wanted, d.say)
	if err != nil {
		return err
	}
	defer s.stop()
	run, stop := context.WithCancel(ctx)
	var g errgroup.Group
	listening := make(chan string, 1)
	ended := make(chan error, 1)
	g.Go(func() error {
		err := s.run(run, everything, freeAddr(ctx, cfg.HTTP, d.say), func(addr string) { listening <- addr })
		ended <- err
		return err
	})
	defer func() { _ = g.Wait() }() // its error is in ended
	defer stop()
	select {
	case addr := <-listening:
		s.engines.HTTP = addr
	case err := <-ended:
		return err
	}
	if err := s.engines.WriteAddresses(data); err != nil {
		return err
	}
	return d.show(ctx, s, ended)
}

// freeAddr is the address, or one that the system chooses if it is in use.
func freeAddr(ctx context.Context, addr string, say func(string)) string {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		say("port " + addr + " is in use: taking a free one")
		return anyPort
	}
	_ = l.Close() // it was taken only to see whether it is free
	return addr
}

func (d *demoRun) show(ctx context.Context, s *system, ended <-chan error) error {
	var totals demo.Totals
	began := time.Now()
	n, err := d.tell(ctx, s, &totals)
	if err != nil {
		return err
	}
	d.say(fmt.Sprintf("%d events of %d people sent in %.1f s", n, d.story.People, time.Since(began).Seconds()))
	st, err := s.await(ctx, 5*time.Minute, d.progress())
	if err != nil {
		return err
	}
	if !st.Drained {
		return errors.New("the events were not drained within five minutes; see the logs in " + s.cfg.Data)
	}
	d.say(fmt.Sprintf("all of it is in ClickHouse after %.1f s; auditing", time.Since(began).Seconds()))
	results, err := s.audit(ctx, s.cfg.Workspaces, auditOptions{}, d.err)
	if err != nil {
		return err
	}
	if err := d.table(ctx, s); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nThe CRM has %d won deals of %s EUR; every model above adds up to just that.\n", totals.Won, euros(totals.Revenue))
	differences := 0
	for _, r := range results {
		differences += r.Differences
	}
	if differences > 0 {
		return printAudit(d.out, results, false)
	}
	fmt.Fprintf(d.out, "audit: 0 differences (%d events, each cell recomputed from them)\n\n", totals.Events)
	fmt.Fprintf(d.out, "ClickHouse  http://%s  user throughline_bi, no password (native protocol: %s)\n", s.engines.ClickHouseHTTP, s.engines.ClickHouse[0])
	fmt.Fprintf(d.out, "Kafka       %s\nEvents      http://%s/v1/events  key sk_demo\n", s.engines.Brokers[0], s.engines.HTTP)
	if d.once || !term.IsTerminal(int(os.Stdout.Fd())) {
		return nil
	}
	fmt.Fprintln(d.out, "\nIt stays up until Ctrl-C.")
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}

// tell sends the story and says how far it is every two seconds.
func (d *demoRun) tell(ctx context.Context, s *system, totals *demo.Totals) (int, error) {
	d.say("telling the story")
	var said atomic.Int64
	said.Store(time.Now().UnixNano())
	target := demo.Target{URL: func() string { return "http://" + s.engines.HTTP }, Key: "sk_demo", Batch: 500, Workers: 2}
	return demo.Send(ctx, target, demo.New(d.story).Lines(totals), func(n int) {
		if last := said.Load(); time.Now().UnixNano()-last > int64(2*time.Second) && said.CompareAndSwap(last, time.Now().UnixNano()) {
			d.say(fmt.Sprintf("%d events acknowledged", n))
		}
	})
}

// progress tells every two seconds how much is under way.
func (d *demoRun) progress() func(*status) {
	last := time.Now()
	return func(st *status) {
		if time.Since(last) < 2*time.Second {
			return
		}
		last = time.Now()
		left := int64(0)
		for _, g := range st.Stages {
			left += g.Lag
		}
		d.say(fmt.Sprintf("%d records under way", left))
	}
}

// models are what the table shows side by side.
var demoModels = [2]string{"last_touch", "position_based"}

func (d *demoRun) table(ctx context.Context, s *system) error {
	from, to := d.story.End.AddDate(-1, 0, 0).Format(time.DateOnly), d.story.End.AddDate(1, 0, 0).Format(time.DateOnly)
	var sides [2]map[string]reports.ROIRow
	var order []string
	for i, model := range demoModels {
		rows, err := reports.ChannelROI{Workspace: "default", From: from, To: to, Model: model, DateBasis: "sale"}.Rows(ctx, s.db)
		if err != nil {
			return err
		}
		sides[i] = map[string]reports.ROIRow{}
		for _, r := range rows {
			if _, ok := sides[0][r.Channel]; !ok || i == 0 {
				order = append(order, r.Channel)
			}
			sides[i][r.Channel] = r
		}
	}
	fmt.Fprintf(d.out, "\n%-18s %8s %12s | %-36s | %-36s\n", "", "", "", demoModels[0], demoModels[1])
	fmt.Fprintf(d.out, "%-18s %8s %12s | %8s %16s %10s | %8s %16s %10s\n", "channel", "visits", "spend", "sales", "revenue", "ROMI", "sales", "revenue", "ROMI")
	for _, channel := range order {
		a, b := sides[0][channel], sides[1][channel]
		if a.Visits == 0 && a.Spend == 0 && a.Sales == 0 && b.Sales == 0 {
			continue // only inquiries or deals, which the table does not show
		}
		fmt.Fprintf(d.out, "%-18s %8d %12.2f | %8.2f %16.2f %10s | %8.2f %16.2f %10s\n", channel, max(a.Visits, b.Visits), max(a.Spend, b.Spend),
			a.Sales, a.Revenue, percent(a.ROMI), b.Sales, b.Revenue, percent(b.ROMI))
	}
	return nil
}

func percent(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.0f %%", *v*100)
}

func euros(cents int64) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }
