package loader

import (
	"context"
	"encoding/json"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
)

// bury writes a record that cannot be decoded to the dead letters and waits until it is there.
func (l *Loader) bury(ctx context.Context, r *kgo.Record, why error) error {
	value, err := json.Marshal(struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Offset    int64  `json:"offset"`
		Record    []byte `json:"record"`
	}{"undecodable", why.Error(), r.Topic, r.Partition, r.Offset, r.Value})
	if err != nil {
		return err
	}
	return l.client.ProduceSync(ctx, &kgo.Record{Topic: l.cfg.topic(pipelines.TopicDead), Value: value}).FirstErr()
}
