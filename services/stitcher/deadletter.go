package stitcher

import (
	"encoding/json"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// deadLetter is the record that keeps an event which cannot be handled, with where it was and why.
func deadLetter(r *kgo.Record, code string, why error) (*kgo.Record, error) {
	value, err := json.Marshal(struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Offset    int64  `json:"offset"`
		Record    []byte `json:"record"`
	}{code, why.Error(), r.Topic, r.Partition, r.Offset, r.Value})
	if err != nil {
		return nil, fmt.Errorf("dead letter: %w", err)
	}
	return &kgo.Record{Value: value}, nil
}
