// Package identity is who is who: it keeps people, connected components of nodes, under links that come in any order
// and may be taken back.
//
// It is pure: a message in, messages out, no Kafka, clock or goroutine. One Machine holds the nodes of one workspace
// on one partition. Machines exchange messages; what is promised holds if the messages from one partition to another are
// handled in the order sent, each exactly once, in whatever interleaving: at rest every person is owned by the smallest of
// its nodes, every node's path leads there, and what was posted sums to the facts of the persons. A Machine loses and
// repeats nothing itself; Rollback forgets all since the last Commit, so that a transaction can be repeated.
package identity

import (
	"github.com/throughline-io/throughline/schemas/event"
)

// ID names a node. Ids are ordered bytewise.
type ID = event.NodeID

// Entry is an element of a journey. Entries are immutable: a greater version replaces the whole.
type Entry struct {
	// Key is unique in the workspace: the event's key, or one that derives from it.
	Key string
	// Version orders what is said of a key. An event has version 1 for ever; a derived link counts up.
	Version uint64
	// Home is the node that the entry belongs to.
	Home ID
	// Joins are the nodes that it makes one person with Home.
	Joins []ID
	// Event is the event itself, Match the state of a derived link; both nil in a tombstone.
	Event *event.Event
	Match *Match
}

// sameContent reports that two entries of one key and version say the same.
func (e *Entry) sameContent(o *Entry) bool {
	return e.Event == nil || o.Event == nil || e.Event.Content == o.Event.Content
}

// Kind of a message.
type Kind uint8

// The protocol's messages (design: identity that can be taken back). Values travel: never renumber.
const (
	Put    Kind = 1
	Link   Kind = 2
	Join   Kind = 3
	Absorb Kind = 4
	Give   Kind = 5
	Own    Kind = 6
	// Leased and Called tell a number's node of a lease and of a call to it.
	Leased Kind = 7
	Called Kind = 8
	// Piece carries a part of a person that is too large for one message; the Give or Own that it belongs to follows.
	Piece Kind = 9
	// Step lets a node go on with what it does in steps.
	Step Kind = 10
)

// Message goes to the node To. Put, Link, Join and Absorb are about Via and are passed on to its owner; Give, Own, Piece and
// Step are addressed and never passed on.
type Message struct {
	Kind Kind
	To   ID
	// Cause is the key of the event that set this off.
	Cause string

	// Put carries an entry (Via is its home).
	Entry *Entry
	// Link, Join and Absorb: the entry Key in Version joins Via with Other, owned by Root when it was sent.
	Via     ID
	Other   ID
	Root    ID
	Key     string
	Version uint64

	// Give and Own carry a person, or say that all of it has come in pieces.
	Members []ID
	Journey []*Entry
	Needs   ID   // Give: taken only by a receiver that owns it
	Back    ID   // Give: whom it returns to otherwise; whoever sends pieces
	Staged  bool // all of it has come in pieces of Back
	// Again is what the giver asks anew if the person comes back.
	Again *Message

	Lease *Lease // Leased
	Call  *Call  // Called
}
