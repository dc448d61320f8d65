// Package replay sends dead letters through again: after a mapping was mended, a currency was given a rate or a clock was set right.
//
// It promises that a letter may be sent any number of times: its events have the ids that they would have had, so what is in already is
// a duplicate and changes nothing. Letters stay where they are; one that is still bad is counted and makes no second letter. What it says
// is in is in Kafka, acknowledged by all replicas in sync. It ends where the topic ended when it began.
package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/intake"
	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/workspace"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// Filter chooses letters; what is empty chooses all.
type Filter struct {
	Workspace, Source, Code string
	// Since and Until bound when the letter was written.
	Since, Until time.Time
}

// Replay is one run.
type Replay struct {
	// Operator reads the letters, Kafka says how what they hold is written.
	Operator *kafka.Operator
	Kafka    []kgo.Opt
	Prefix   string
	Sources  *sources.Set
	// Workspaces are the configuration's.
	Workspaces []workspace.Workspace
	Filter     Filter
	// DryRun sends nothing.
	DryRun   bool
	MaxAhead time.Duration
	// Progress is told now and then: offsets looked at, of how many, and what came of them.
	Progress func(done, all int64, r *Result)
	// Now is the clock.
	Now func() time.Time
}

// Result is what came of it.
type Result struct {
	// Letters were chosen; of them Sent are whole again, and Bad are still bad, by code.
	Letters int            `json:"letters"`
	Sent    int            `json:"sent"`
	Bad     map[string]int `json:"still_bad"`
	// Events and Fetches were written, or would be.
	Events  int `json:"events"`
	Fetches int `json:"fetches"`
	// Skipped cannot be sent again, by reason.
	Skipped map[string]int `json:"skipped"`
	// First is what the first letter of each code is still bad for.
	First map[string]string `json:"first_faults"`
}

// chunk is how many records are written at once.
const chunk = 1_000

// progressEvery is how often progress is told.
const progressEvery = time.Second

// Run sends what the filter chooses.
func (r *Replay) Run(ctx context.Context) (*Result, error) {
	result := &Result{Bad: map[string]int{}, Skipped: map[string]int{}, First: map[string]string{}}
	client, err := kgo.NewClient(append(append([]kgo.Opt{}, r.Kafka...), intake.Producer()...)...)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	defer client.Close()
	topics, err := intake.Count(ctx, client, r.Prefix)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	out := &outbox{ctx: ctx, client: client, dry: r.DryRun}
	again := newAgain(r, topics)
	told := time.Time{}
	look := kafka.Look{Topic: r.Prefix + pipelines.TopicDead, Since: r.Filter.Since, Until: r.Filter.Until, Progress: func(done, all int64) {
		if now := r.Now(); r.Progress != nil && now.Sub(told) >= progressEvery {
			told = now
			r.Progress(done, all, result)
		}
	}}
	err = r.Operator.Read(ctx, look, func(record kafka.Record) error {
		l, err := deadletter.Decode(record.Value)
		if err != nil {
			result.Skipped["no letter"]++
			return nil //nolint:nilerr // it is counted, and the others are sent
		}
		if !r.Filter.takes(l) {
			return nil
		}
		result.Letters++
		return r.one(ctx, again, l, out, result)
	})
	return result, errors.Join(err, out.flush())
}

func (f Filter) takes(l *deadletter.Letter) bool {
	name := l.Key
	if l.Source != nil {
		name = l.Source.Instance
	}
	return (f.Workspace == "" || f.Workspace == l.Workspace) && (f.Source == "" || f.Source == name) && (f.Code == "" || f.Code == l.Code)
}

// one sends a letter's item. Only what concerns Kafka is an error.
func (r *Replay) one(ctx context.Context, again *again, l *deadletter.Letter, out *outbox, result *Result) error {
	made, err := again.letter(ctx, l)
	var skip skipped
	switch {
	case errors.As(err, &skip):
		result.Skipped[string(skip)]++
		return nil
	case err != nil:
		return err
	}
	for _, record := range made.records {
		if err := out.put(record); err != nil {
			return err
		}
	}
	result.Events, result.Fetches = result.Events+made.events, result.Fetches+made.fetches
	if made.bad == nil {
		result.Sent++
		return nil
	}
	code := string(made.bad.Code)
	result.Bad[code]++
	if result.First[code] == "" {
		result.First[code] = sources.Discreet(made.bad)
	}
	return nil
}

// outbox writes records in chunks.
type outbox struct {
	ctx     context.Context // of the run
	client  *kgo.Client
	dry     bool
	waiting []*kgo.Record
}

func (o *outbox) put(r *kgo.Record) error {
	if o.dry {
		return nil
	}
	if o.waiting = append(o.waiting, r); len(o.waiting) < chunk {
		return nil
	}
	return o.flush()
}

// flush waits until Kafka has all of it.
func (o *outbox) flush() error {
	if len(o.waiting) == 0 {
		return nil
	}
	err := o.client.ProduceSync(o.ctx, o.waiting...).FirstErr()
	o.waiting = o.waiting[:0]
	if err != nil {
		return fmt.Errorf("replay: Kafka did not take all of it: run it again, which counts nothing twice: %w", err)
	}
	return nil
}

// withID gives an event without one an id that is the same whenever its letter is sent: browsers may leave it out.
func withID(item []byte, id string) []byte {
	var object map[string]json.RawMessage
	if json.Unmarshal(item, &object) != nil || object["id"] != nil && string(object["id"]) != "null" {
		return item
	}
	b, err := json.Marshal(id)
	if err != nil {
		return item
	}
	object["id"] = b
	if out, err := json.Marshal(object); err == nil {
		return out
	}
	return item
}
