// Package kafka is what services need of a cluster beside producing and consuming: topics as they must be, how far a group is behind,
// and transactions that have ended in every partition before the next one writes. It knows no event.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TopicSpec is a topic as it must be.
type TopicSpec struct {
	Name       string
	Partitions int32
	// Replication is the number of replicas; -1 is the broker's default.
	Replication int16
	// Configs are the settings that must hold.
	Configs map[string]string
}

// Settings of topics.
const (
	CleanupPolicy = "cleanup.policy"
	Retention     = "retention.ms"
	MaxMessage    = "max.message.bytes"
)

// TopicError says that an existing topic is not what it must be.
type TopicError struct{ Topic, Setting, Want, Got string }

func (e *TopicError) Error() string {
	return fmt.Sprintf("topic %s: %s is %s and must be %s: change it by hand, or use another kafka.topic_prefix", e.Topic, e.Setting, e.Got, e.Want)
}

// EnsureTopics makes the topics that are missing and checks the others; every difference is reported.
func EnsureTopics(ctx context.Context, client *kgo.Client, topics []TopicSpec) error {
	admin := kadm.NewClient(client)
	for _, t := range topics {
		configs := map[string]*string{}
		for k, v := range t.Configs {
			configs[k] = &v
		}
		res, err := admin.CreateTopic(ctx, t.Partitions, t.Replication, configs, t.Name)
		if err := errors.Join(err, res.Err); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("make topic %s: %w: %s", t.Name, err, res.ErrMessage)
		}
	}
	return checkTopics(ctx, admin, topics)
}

func checkTopics(ctx context.Context, admin *kadm.Client, topics []TopicSpec) error {
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.Name
	}
	described, err := AwaitTopics(ctx, admin, names)
	if err != nil {
		return err
	}
	configs, err := admin.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return fmt.Errorf("describe topics: %w", err)
	}
	var all []error
	for _, t := range topics {
		if got := len(described[t.Name].Partitions); got != int(t.Partitions) {
			all = append(all, &TopicError{t.Name, "partitions", strconv.Itoa(int(t.Partitions)), strconv.Itoa(got)})
		}
		rc, err := configs.On(t.Name, nil)
		if err := errors.Join(err, rc.Err); err != nil {
			return fmt.Errorf("describe topic %s: %w", t.Name, err)
		}
		for _, c := range rc.Configs {
			if want, ok := t.Configs[c.Key]; ok && c.Value != nil && *c.Value != want {
				all = append(all, &TopicError{t.Name, c.Key, want, *c.Value})
			}
		}
	}
	return errors.Join(all...)
}

// AwaitTopics waits until the broker shows topics that were just made, or ctx is done.
func AwaitTopics(ctx context.Context, admin *kadm.Client, names []string) (topics kadm.TopicDetails, err error) {
	err = persist(ctx, func() (bool, error) {
		var err error
		if topics, err = admin.ListTopics(ctx, names...); err != nil {
			return true, err
		}
		for _, n := range names {
			if t, ok := topics[n]; !ok || t.Err != nil || len(t.Partitions) == 0 {
				return false, errors.Join(fmt.Errorf("topic %s is not there", n), t.Err)
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	return topics, nil
}
