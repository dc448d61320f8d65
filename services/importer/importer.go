// Package importer takes files of a source, of any size, into Kafka: the way of what a company already has.
//
// It loses no item: how far a file is, is written down only after Kafka has acknowledged every event and every dead letter before that
// point. After a kill -9 the import of the same content goes on there; what was sent behind the point is sent again, with the same ids,
// which the stitcher tells. Dead letters have no ids: those of the last second before a kill may lie there twice. The same file again
// is told by its content and changes nothing.
//
// How far a file is, is kept in Kafka itself (pipelines.TopicImports, compacted) and not in a file beside it: it then says what this
// Kafka has, from whichever machine the import is run, and goes with it when it is thrown away.
//
// Memory is bounded by the batches that are under way, whatever the file's size. Events that are imported wait behind those that come
// live: no more are sent than keep every stage's lag below a limit. Whoever cancels Run gets it back once Kafka has answered for what
// was sent, after flushPatience at the latest.
package importer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// StandardInput is the name of a file that is none.
const StandardInput = "-"

// Importer is one import.
type Importer struct {
	cfg    Config
	way    *Way
	client *kgo.Client
	topics *intake.Topics
	log    *progressLog
	gate   *gate
	state  atomic.Pointer[State]
	waits  atomic.Pointer[string]
	now    func() time.Time
}

// New makes an import by a way; nothing happens until Run.
func New(cfg Config, way *Way) *Importer {
	im := &Importer{cfg: cfg, way: way, now: time.Now}
	im.state.Store(&State{})
	return im
}

// File is what became of one file.
type File struct {
	Name string
	Progress
	// From is at how many items this run began; Before is true where the whole file was imported before, so that nothing was done.
	From   int64
	Before bool
	// Samples are the first faults of each kind that this run met.
	Samples []Sample
	// Err is why the file was not read to its end.
	Err error
}

// State is how far an import is, for people.
type State struct {
	File         string
	Index, Files int
	// Read and Size are bytes of the file as it lies there; Size is 0 where it is not known.
	Read, Size int64
	// Items that are acknowledged, those of earlier runs included, and those of them that were rejected.
	Items, Rejected int64
	// Run is how many items this run has settled, of all files.
	Run int64
}

// State tells how far the import is, and what it waits for, if it does.
func (im *Importer) State() (State, string) {
	waits := ""
	if w := im.waits.Load(); w != nil {
		waits = *w
	}
	return *im.state.Load(), waits
}

// Run imports files, one after another. What could not be read of a file is its own fault, and the next is read all the same; an error
// is about the whole import.
func (im *Importer) Run(ctx context.Context, files []string) ([]File, error) {
	if err := im.cfg.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !im.cfg.DryRun {
		stop, err := im.connect(ctx)
		if err != nil {
			return nil, err
		}
		defer stop()
	}
	var done []File
	var settled int64
	for i, name := range files {
		im.state.Store(&State{File: name, Index: i, Files: len(files), Run: settled})
		f, err := im.one(ctx, name)
		done = append(done, f)
		if err != nil {
			return done, err
		}
		settled = im.state.Load().Run
	}
	return done, nil
}

// connect makes the producer, reads how far earlier imports came and begins to look at the lag.
func (im *Importer) connect(ctx context.Context) (stop func(), err error) {
	im.client, err = kgo.NewClient(append(slices.Concat(im.cfg.Kafka, intake.Producer()),
		kgo.ProducerLinger(linger), kgo.MaxBufferedRecords(im.cfg.MaxBufferedRecords), kgo.MaxBufferedBytes(im.cfg.MaxBufferedBytes),
	)...)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	if im.topics, err = intake.Count(ctx, im.client, im.cfg.TopicPrefix); err == nil {
		im.log, err = readProgress(ctx, im.client, im.cfg)
	}
	if err != nil {
		im.client.Close()
		return nil, fmt.Errorf("import: %w", err)
	}
	im.gate = newGate(im.cfg.MaxLag, im.lags)
	watch, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		im.gate.watch(watch, func(why string) { im.waits.Store(&why) })
	}()
	return func() { cancel(); <-ended; im.client.Close() }, nil
}

// one imports one file.
func (im *Importer) one(ctx context.Context, name string) (File, error) {
	src, err := open(name)
	if err != nil {
		return File{Name: name, Err: err}, nil
	}
	defer src.Close()
	r := &run{Importer: im, src: src, file: File{Name: name, Progress: Progress{Received: im.now().UTC(), By: im.way.Fingerprint, Tally: newTally()}}}
	if src.whole && !im.cfg.DryRun {
		if src.hash, err = src.content(ctx); err != nil {
			return r.file, err
		}
		r.key = im.way.key(src.hash)
		if before, ok := im.log.of(r.key); ok {
			r.goOn(before)
		}
		if r.file.Before {
			return r.file, nil
		}
		if err := r.save(ctx); err != nil { // so that $received is the same however often it is begun
			return r.file, err
		}
	}
	err = r.through(ctx)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = ctx.Err()
	}
	return r.file, err
}

// goOn begins where an earlier run came to. Another definition or other settings mean other events: then it begins anew, and only the
// time of the first import stays.
func (r *run) goOn(before Progress) {
	r.file.Received = before.Received
	if r.cfg.Again || before.By != r.way.Fingerprint {
		return
	}
	r.file.Progress, r.file.From, r.file.Before = before, before.Items, before.Done
}

// through reads the file to its end.
func (r *run) through(ctx context.Context) error {
	err := r.pipeline(ctx, r.way.read(items.Input{Body: r.src, File: r.file.Name, Limits: items.File}))
	if err == nil && r.file.Err == nil {
		r.file.Done = true
	}
	if r.key == "" {
		return err
	}
	if changed := r.src.changed(); changed != nil {
		r.file.Done = false
		return errors.Join(err, changed)
	}
	save, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushPatience)
	defer cancel()
	return errors.Join(err, r.save(save))
}
