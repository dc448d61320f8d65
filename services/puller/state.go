package puller

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The state is a compacted topic. All of an instance's records are in one partition, which one process at a time may write:
//
//	pull    ␀ workspace ␀ instance ␀ entry                how a pull went, and the run that is not done yet
//	account ␀ workspace ␀ instance ␀ entry ␀ account      how far a pull is with one account
//	order   ␀ workspace ␀ instance ␀ entry                somebody asks for a pull now; the one who does it takes it away
//	token   ␀ workspace ␀ instance ␀ name                 an OAuth 2 token, sealed under the workspace's pepper
//	fetch   ␀ workspace ␀ instance                        where in its fetches an instance is
//	later   ␀ workspace ␀ instance ␀ offset               a fetch that is tried again later, as it came
//	sweep   ␀ ␀                                           where in the fetches of nobody the partition is
const (
	kindPull    = "pull"
	kindAccount = "account"
	kindOrder   = "order"
	kindToken   = "token"
	kindFetch   = "fetch"
	kindLater   = "later"
	kindSweep   = "sweep"
)

// instanceID names an instance of a workspace.
type instanceID struct{ Workspace, Instance string }

// Key is the key that an instance's records are placed by, here and among the fetches.
func (id instanceID) Key() string { return id.Workspace + "/" + id.Instance }

// pullID names one of an instance's pulls.
type pullID struct {
	instanceID
	Entry string
}

// Pull is how a pull went.
type Pull struct {
	// Version is the definition's.
	Version string `json:"version,omitempty"`
	// Began and Ended are those of the last run that succeeded; what is in the events of each is counted.
	Began  time.Time `json:"began,omitzero"`
	Ended  time.Time `json:"ended,omitzero"`
	Counts Counts    `json:"counts,omitzero"`
	// Tried, Failures, Reason and Error tell of the runs that failed since; NotBefore is when the vendor wants to be asked again.
	Tried     time.Time `json:"tried,omitzero"`
	NotBefore time.Time `json:"not_before,omitzero"`
	Failures  int       `json:"failures,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Error     string    `json:"error,omitempty"`
	// Next is when it is due.
	Next time.Time `json:"next,omitzero"`
	// Run is one that is not done.
	Run *Run `json:"run,omitempty"`
	// Ordered is what became of the last order.
	Ordered *Ordered `json:"ordered,omitempty"`
}

// Counts are what came of a run.
type Counts struct {
	Pages   int `json:"pages"`
	Items   int `json:"items"`
	Events  int `json:"events"`
	Letters int `json:"letters"`
}

// Run is one run of a pull. It is taken up again after a crash where it was, with the same time as $received: so the same answers make
// the same events.
type Run struct {
	Began time.Time `json:"began"`
	Order string    `json:"order,omitempty"`
	Since string    `json:"since,omitempty"`
	// Counts are those of the accounts that are done.
	Counts Counts `json:"counts,omitzero"`
}

// Order is somebody's wish to have a pull now.
type Order struct {
	ID    string `json:"id"`
	Since string `json:"since,omitempty"`
}

// Ordered is what became of it.
type Ordered struct {
	ID    string `json:"id"`
	Error string `json:"error,omitempty"`
}

// Account is how far a pull is with one account.
type Account struct {
	Account json.RawMessage `json:"account"`
	// Through is the last day that was pulled, with all before it.
	Through string `json:"through,omitempty"`
	// Cursor is where the next begins.
	Cursor json.RawMessage `json:"cursor,omitempty"`
	// Run is the beginning of the run that this account was last part of: Reached is the day it has reached there, Done that it is
	// through.
	Run     time.Time `json:"run,omitzero"`
	Reached string    `json:"reached,omitempty"`
	Done    bool      `json:"done,omitempty"`
}

// position is where a reader of the fetches is.
type position struct {
	Next int64 `json:"next"`
}

// waiting is a fetch that is tried again later.
type waiting struct {
	Offset   int64     `json:"offset"`
	Due      time.Time `json:"due"`
	Attempts int       `json:"attempts"`
	Reason   string    `json:"reason"`
	// Fetch is the record's value: sealed inside, where the workspace does not store contacts.
	Fetch json.RawMessage `json:"fetch"`
}

// State is what the topic says.
type State struct {
	pulls    map[pullID]*Pull
	accounts map[pullID]map[string]*Account
	orders   map[pullID]Order
	tokens   map[instanceID]map[string][]byte
	fetches  map[instanceID]position
	waiting  map[instanceID]map[int64]*waiting
	sweeps   map[int32]position
}

func newState() *State {
	return &State{
		pulls: map[pullID]*Pull{}, accounts: map[pullID]map[string]*Account{}, orders: map[pullID]Order{}, tokens: map[instanceID]map[string][]byte{},
		fetches: map[instanceID]position{}, waiting: map[instanceID]map[int64]*waiting{}, sweeps: map[int32]position{},
	}
}

func stateKey(kind string, id instanceID, more ...string) []byte {
	return []byte(strings.Join(append([]string{kind, id.Workspace, id.Instance}, more...), "\x00"))
}

// accountName is an account in a key: accounts are any JSON.
func accountName(account json.RawMessage) string {
	sum := sha256.Sum256(account)
	return hex.EncodeToString(sum[:16])
}

func offsetName(n int64) string { return strconv.FormatInt(n, 10) }

// take reads one record; a later one of the same key replaces it, and one without a value takes it away.
func (s *State) take(r *kgo.Record) error {
	parts := append(strings.Split(string(r.Key), "\x00"), "", "", "")
	kind, id := parts[0], instanceID{parts[1], parts[2]}
	pull, name := pullID{id, parts[3]}, parts[3]
	var err error
	switch kind {
	case kindPull:
		err = set(s.pulls, pull, r.Value)
	case kindAccount:
		err = set(within(s.accounts, pull), parts[4], r.Value)
	case kindOrder:
		err = set(s.orders, pull, r.Value)
	case kindToken:
		within(s.tokens, id)[name] = r.Value
	case kindFetch:
		err = set(s.fetches, id, r.Value)
	case kindSweep:
		err = set(s.sweeps, r.Partition, r.Value)
	case kindLater:
		var offset int64
		if offset, err = strconv.ParseInt(name, 10, 64); err == nil {
			err = set(within(s.waiting, id), offset, r.Value)
		}
	default: // of a later version
	}
	if err != nil {
		return fmt.Errorf("puller: state %d/%d: %w", r.Partition, r.Offset, err)
	}
	return nil
}

func within[K, L comparable, V any](all map[K]map[L]V, key K) map[L]V {
	if all[key] == nil {
		all[key] = map[L]V{}
	}
	return all[key]
}

func set[K comparable, V any](all map[K]V, key K, value []byte) error {
	if len(bytes.TrimSpace(value)) == 0 {
		delete(all, key)
		return nil
	}
	var v V
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	all[key] = v
	return nil
}
