package puller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/pipelines/sources"
)

// PullStatus is how one pull stands.
type PullStatus struct {
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
	Entry     string `json:"entry"`
	// Last is when it last succeeded, Next when it is due; zero: never yet, and as soon as a puller runs.
	Last     time.Time `json:"last_success,omitzero"`
	Next     time.Time `json:"next,omitzero"`
	Counts   Counts    `json:"counts"`
	Running  bool      `json:"unfinished,omitempty"`
	Failures int       `json:"failures,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// FetchStatus is how an instance's fetches stand.
type FetchStatus struct {
	Workspace string `json:"workspace"`
	Source    string `json:"source"`
	// Waiting are tried again later; Oldest is when the first of them is.
	Waiting int       `json:"waiting"`
	Next    time.Time `json:"next,omitzero"`
	Reason  string    `json:"reason,omitempty"`
}

// Status is how everything that is asked stands.
type Status struct {
	Pulls   []PullStatus  `json:"pulls"`
	Fetches []FetchStatus `json:"fetches"`
	// Behind is how many records of the fetches' topic are not done.
	Behind int64 `json:"behind"`
}

// ReadStatus reads it: what the configuration's sources have to show.
func ReadStatus(ctx context.Context, connect []kgo.Opt, prefix string, set *sources.Set) (*Status, error) {
	s, _, err := readState(ctx, connect, prefix+pipelines.TopicPulls)
	if err != nil {
		return nil, err
	}
	out := &Status{Pulls: []PullStatus{}, Fetches: []FetchStatus{}}
	for _, i := range set.Instances {
		id := instanceID{i.Workspace.Name, i.Name}
		for _, e := range i.Source.EntriesOf(sources.Pulled) {
			p := s.pulls[pullID{id, e.Name}]
			if p == nil {
				p = &Pull{}
			}
			out.Pulls = append(out.Pulls, PullStatus{
				id.Workspace, id.Instance, e.Name, p.Ended, nextTime(p, e.Pull.Every), p.Counts, p.Run != nil, p.Failures, p.Reason, p.Error,
			})
		}
		if hasFetches(i) {
			out.Fetches = append(out.Fetches, fetchStatus(id, s.waiting[id]))
		}
	}
	out.Behind, err = behind(ctx, connect, prefix+pipelines.TopicFetches, s, set)
	return out, err
}

func fetchStatus(id instanceID, waiting map[int64]*waiting) FetchStatus {
	f := FetchStatus{Workspace: id.Workspace, Source: id.Instance, Waiting: len(waiting)}
	for _, w := range waiting {
		if f.Next.IsZero() || w.Due.Before(f.Next) {
			f.Next, f.Reason = w.Due, w.Reason
		}
	}
	return f
}

// behind is, of each partition, the most that one of its readers has before it.
func behind(ctx context.Context, connect []kgo.Opt, topic string, s *State, set *sources.Set) (int64, error) {
	client, err := kgo.NewClient(connect...)
	if err != nil {
		return 0, fmt.Errorf("puller: %w", err)
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, fmt.Errorf("puller: start of %s: %w", topic, err)
	}
	ends, err := admin.ListCommittedOffsets(ctx, topic)
	if err != nil {
		return 0, fmt.Errorf("puller: end of %s: %w", topic, err)
	}
	of := int32(len(ends[topic]))
	readers := map[int32][]int64{}
	for _, i := range set.Instances {
		if id := (instanceID{i.Workspace.Name, i.Name}); hasFetches(i) && of > 0 {
			partition := pipelines.KeyPartition(id.Key(), of)
			readers[partition] = append(readers[partition], s.fetches[id].Next)
		}
	}
	var all int64
	ends.Each(func(end kadm.ListedOffset) {
		least := slices.MinFunc(append(readers[end.Partition], s.sweeps[end.Partition].Next), cmp.Compare[int64])
		if start, ok := starts.Lookup(topic, end.Partition); ok {
			least = max(least, start.Offset)
		}
		all += max(0, end.Offset-least)
	})
	return all, nil
}
