package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines/sources"
)

// give hands the sources to whoever uses them, and says which of them let anybody in.
func (s *system) give(set *sources.Set, use []func(*sources.Set)) {
	for _, u := range use {
		u(set)
	}
	for _, i := range set.Instances {
		for _, e := range i.Unchecked() {
			s.log.Warn("a source lets anybody in who knows its address",
				zap.String("workspace", i.Workspace.Name), zap.String("source", i.Name), zap.String("entry", e.Name), zap.String("unchecked", e.Unchecked))
		}
	}
}

// follow reads the sources again at every SIGHUP, until ctx is done. One fault anywhere and the old ones stay as a whole.
func (s *system) follow(ctx context.Context, use []func(*sources.Set)) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			s.readSources(use)
		}
	}
}

func (s *system) readSources(use []func(*sources.Set)) {
	set, err := sources.OpenAndBind(s.cfg.Sources, s.cfg.Workspaces)
	if err != nil {
		s.log.Error("the sources were read again and refused: the ones before stay in force", zap.Error(err))
		return
	}
	s.give(set, use)
	s.log.Info("the sources were read again", zap.Int("sources", len(set.Sources)), zap.Int("instances", len(set.Instances)))
}
