package loader

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/deadletter"
)

// bury writes a record that cannot be decoded to the dead letters and waits until it is there.
func (l *Loader) bury(ctx context.Context, r *kgo.Record, why error) error {
	letter := deadletter.Letter{
		Code: "undecodable", Message: why.Error(), Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Record: r.Value,
	}
	value, err := letter.Encode()
	if err != nil {
		return err
	}
	return l.client.ProduceSync(ctx, &kgo.Record{Topic: l.cfg.topic(pipelines.TopicDead), Value: value}).FirstErr()
}
