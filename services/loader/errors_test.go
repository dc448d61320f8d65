package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestErrorsAreSorted(t *testing.T) {
	from := func(code int32) error { return &clickhouse.Exception{Code: code} }
	for _, tc := range []struct {
		name string
		err  error
		want answer
	}{
		{"memory", from(241), retry},
		{"too many parts", from(252), retry},
		{"the server ends", from(236), retry},
		{"wrong password", from(516), stop},
		{"no right to insert", from(497), stop},
		{"a table that is not there", from(60), stop},
		{"a column that is not there", from(16), stop},
		{"a code that nobody thought of", from(9999), unknown},
		{"refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, retry},
		{"cut off", io.ErrUnexpectedEOF, retry},
		{"no connection free", clickhouse.ErrAcquireConnTimeout, retry},
		{"a deadline", context.DeadlineExceeded, retry},
		{"we end", context.Canceled, stop},
		{"anything else", errors.New("what is this"), unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := sortError(fmt.Errorf("loader: insert: %w", tc.err)); got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
}

// An error that only a person can mend ends the loader at once, whatever the number of retries.
func TestAMissingTableEndsTheLoader(t *testing.T) {
	l := testLoader(t, DefaultConfig())
	begun := time.Now()
	err := l.insertAll(t.Context(), "nowhere", []table{{name: "nowhere", n: 1, columns: []column{{"workspace", []string{"a"}}}}})
	if err == nil || sortError(err) != stop || time.Since(begun) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}

func TestValidateReportsEveryFault(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	err := Config{Linger: time.Second, Retries: -1}.Validate()
	if err == nil {
		t.Fatal("no fault")
	}
	for _, field := range []string{
		"group", "max_rows", "max_bytes", "linger: 1s", "poll_timeout", "fetch_wait", "session_timeout", "rebalance_timeout", "inserts", "retries: -1",
	} {
		if !strings.Contains(err.Error(), "loader."+field) {
			t.Errorf("%s is not named in:\n%v", field, err)
		}
	}
}

func TestLeftBehind(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		want bool
	}{
		{"the group went on", &kgo.ErrGroupSession{Err: kerr.UnknownMemberID}, true},
		{"it is being divided anew", &kgo.ErrGroupSession{Err: kerr.RebalanceInProgress}, true},
		{"not let in", &kgo.ErrGroupSession{Err: kerr.GroupAuthorizationFailed}, false},
		{"a commit is refused", kerr.UnknownMemberID, false},
	} {
		if got := fetchError(kgo.NewErrFetch(row.err)) == nil; got != row.want {
			t.Errorf("%s: passed over %t", row.name, got)
		}
	}
}
