package stitcher

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/schemas/deadletter"
)

// deadLetter is the record that keeps an event which cannot be handled, with where it was and why.
func deadLetter(r *kgo.Record, code string, why error) (*kgo.Record, error) {
	letter := deadletter.Letter{
		Code: code, Message: why.Error(), Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Record: r.Value,
	}
	value, err := letter.Encode()
	if err != nil {
		return nil, err
	}
	return &kgo.Record{Value: value}, nil
}
