package event

// Rules is what reading an event needs to know of the workspace it is for. The zero value of an optional field
// means: not set.
type Rules struct {
	Workspace string
	// Country is the default region of phone numbers (ISO 3166-1 alpha-2).
	Country string
	// Pepper keys the HMAC that makes node ids.
	Pepper []byte
	// StoreContacts leaves phones and e-mails readable in Raw.
	StoreContacts bool
	// Exclude holds "kind:value" with the value normalised: identities that join nobody.
	Exclude map[string]bool
	// Currencies are the currencies that amounts may be given in: the workspace's own and those of its fx table.
	Currencies map[string]bool
	// Holds, if given, reports whether the ledger can hold an amount in a currency; none is the workspace's own.
	Holds func(amount Money, currency string) bool
}
