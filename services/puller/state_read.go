package puller

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/services/internal/kafka"
)

// readTimeout bounds the reading of the state: it has a few records an account, and those that wait.
const readTimeout = time.Minute

// readState reads what is committed of the state: of these partitions, or of all if none is named. It says where their ends were.
func readState(ctx context.Context, connect []kgo.Opt, topic string, only ...int32) (*State, map[int32]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	s := newState()
	ends, err := kafka.ReadAll(ctx, connect, topic, s.take, only...)
	if err != nil {
		return nil, nil, fmt.Errorf("puller: %w", err)
	}
	return s, ends, nil
}
