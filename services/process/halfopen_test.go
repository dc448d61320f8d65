package process

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestABrokerThatNeverAnswersIsGivenUp takes connections and says nothing, as a machine does that lost its power behind a proxy.
func TestABrokerThatNeverAnswersIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes as long as a broker may take to answer")
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	go func() {
		for {
			if _, err := silent.Accept(); err != nil {
				return
			}
		}
	}()
	e := &Engines{Brokers: []string{silent.Addr().String()}}
	client, err := kgo.NewClient(append(e.Connect(), kgo.RequestRetries(0))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 6*kafkaAnswer) // a test that hangs is no proof
	defer cancel()
	if err := client.Ping(ctx); err == nil || errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		t.Errorf("ping: %v", err)
	}
}
