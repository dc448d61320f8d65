package loader

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// answer is what to do about an error of an insert. All errors are sorted here.
type answer int

const (
	retry   answer = iota // the same insert again, after a pause
	stop                  // nothing but a person can mend it
	unknown               // nobody has thought of it: retried, and logged as what it is
)

// Codes of ClickHouse that a person must mend: the tables are not what this program was written for, or it may not write.
var stopCodes = map[int32]string{
	16: "NO_SUCH_COLUMN_IN_TABLE", 20: "NUMBER_OF_COLUMNS_DOESNT_MATCH", 47: "UNKNOWN_IDENTIFIER", 53: "TYPE_MISMATCH", 60: "UNKNOWN_TABLE",
	81: "UNKNOWN_DATABASE", 115: "UNKNOWN_SETTING", 192: "UNKNOWN_USER", 193: "WRONG_PASSWORD", 497: "ACCESS_DENIED", 516: "AUTHENTICATION_FAILED",
}

// Codes of ClickHouse that pass: it is short of something, or restarting.
var retryCodes = map[int32]string{
	3: "UNEXPECTED_END_OF_FILE", 32: "ATTEMPT_TO_READ_AFTER_EOF", 159: "TIMEOUT_EXCEEDED", 164: "READONLY", 202: "TOO_MANY_SIMULTANEOUS_QUERIES",
	203: "NO_FREE_CONNECTION", 209: "SOCKET_TIMEOUT", 210: "NETWORK_ERROR", 236: "ABORTED", 241: "MEMORY_LIMIT_EXCEEDED", 242: "TABLE_IS_READ_ONLY",
	243: "NOT_ENOUGH_SPACE", 252: "TOO_MANY_PARTS", 394: "QUERY_WAS_CANCELLED", 425: "SYSTEM_ERROR", 439: "CANNOT_SCHEDULE_TASK", 999: "KEEPER_EXCEPTION",
}

// errStale says that a batch was not inserted in time after its plan. The next life plans anew or finishes it.
var errStale = errors.New("the plan is too old to be inserted under")

func sortError(err error) answer {
	if errors.Is(err, context.Canceled) || errors.Is(err, errStale) {
		return stop
	}
	var exception *clickhouse.Exception
	if errors.As(err, &exception) {
		if _, ok := stopCodes[exception.Code]; ok {
			return stop
		}
		if _, ok := retryCodes[exception.Code]; ok {
			return retry
		}
		return unknown
	}
	// Anything else came from the connection: the server may or may not have taken the insert, and its token tells.
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, clickhouse.ErrAcquireConnTimeout) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return retry
	}
	return unknown
}
