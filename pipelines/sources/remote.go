package sources

import (
	"time"

	"github.com/throughline-io/throughline/pipelines/sources/items"
	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

// Fetch is what is asked back for a webhook's item that holds only an id.
type Fetch struct {
	// Requests are asked in their order; Map sees each one's answer as $responses.<name>.
	Requests []Request `yaml:"requests"`
	// Remote is how the vendor is asked.
	Remote `yaml:",inline"`
	// Delay is how long after the hook it is asked: where a vendor's API lags behind its hooks. None, if left out.
	Delay time.Duration `yaml:"delay"`
}

// Pull is how a vendor that sends nothing is asked.
type Pull struct {
	// Every is how often it is asked.
	Every time.Duration `yaml:"every"`
	// Requests are asked in their order for each account and each part of the window. The last one's answer is read by Read, and its
	// items are mapped; those before it are $responses.<name>.
	Requests []Request `yaml:"requests"`
	Remote   `yaml:",inline"`
	// ForEach is a jq program over null that gives what is asked for one by one, as $account. Once, with null, if left out.
	ForEach string `yaml:"for_each"`
	// Window is the days that are asked for again each time.
	Window *Window `yaml:"window"`
	// Cursor is kept between two times: where the next begins.
	Cursor *Cursor `yaml:"cursor"`

	// ForEachProgram is ForEach, compiled.
	ForEachProgram *mapping.Program `yaml:"-"`
}

// Window is the last days: vendors restate them. $window has from and to (both included), YYYY-MM-DD.
type Window struct {
	// Days back from today, today included. The first time, or with --since, more may be asked for.
	Days int `yaml:"days"`
	// Chunk is how many days one request may ask for: all of them, if left out.
	Chunk int `yaml:"chunk"`
	// Zone that days are in: the workspace's, if left out. A setting's value with setting:name.
	Zone string `yaml:"zone"`
	// Today: whether today, which is not over, is asked for.
	Today bool `yaml:"today"`
}

// Cursor is a value that a pull keeps.
type Cursor struct {
	// First is a jq program over null: the cursor where nothing is kept yet.
	First string `yaml:"first"`
	// Next is a jq program over the last answer's body: the cursor to keep once all of it is in Kafka. null keeps the old one.
	Next string `yaml:"next"`

	FirstProgram, NextProgram *mapping.Program `yaml:"-"`
}

// Request is one request to a vendor.
type Request struct {
	Name string `yaml:"name"`
	// When is a jq program over the same as Request: false or null leaves the request out. Always, if left out.
	When string `yaml:"when"`
	// Request is a jq program, over a fetch's item or null, that gives the request: an object with url and, as needed, method (GET),
	// query, headers, and one of json, form and body. $settings, $tables, $responses, $page, $cursor, $window and $account are there.
	Request string `yaml:"request"`
	// Read says how the answer becomes what $responses.<name> holds: json, if left out. A list with Items or pages, one value without.
	Read *Reading `yaml:"read"`
	// Pages go on until there are no more.
	Pages *Pages `yaml:"pages"`
	// Failed is a jq program over the answer's body that gives a text where the vendor says with a 200 that it failed; null, if not. A
	// text that begins with "retry:" is tried again.
	Failed string `yaml:"failed"`
	// Again is for answers that are not ready yet.
	Again *Again `yaml:"again"`
	// Absent are statuses by which the vendor says that there is nothing of that name (any more), such as 404: $responses.<name> is then
	// null, and of a pull's last request there is no item.
	Absent []int `yaml:"absent"`

	// Programs and Format are the above, compiled.
	Programs Programs      `yaml:"-"`
	Format   *items.Format `yaml:"-"`
}

// Reading is how an answer that is no item is read.
type Reading struct {
	Format string `yaml:"format"`
	// Items is the way to a list: .result.items[].
	Items string `yaml:"items"`
}

// Pages is how more of an answer is asked for.
type Pages struct {
	// Kind is page ($page.number counts up from First), offset ($page.offset grows by the items that came), cursor ($page.cursor is what
	// Next gave) or link ($page.url: of the Link header's rel="next", or what Next gave).
	Kind string `yaml:"kind"`
	// First is the first page's number, or the first offset.
	First int `yaml:"first"`
	// Size is how many items a full page has ($page.size). With page and offset, one with fewer is the last, unless More says otherwise.
	Size int `yaml:"size"`
	// More is a jq program over the answer's body: whether there is another page. Kinds page and offset.
	More string `yaml:"more"`
	// Next is a jq program over the answer's body: the next cursor or address, null at the end. Kinds cursor and link.
	Next string `yaml:"next"`
	// Most is how many pages are asked for at most: 10,000 if left out. More is a fault, not an end.
	Most int `yaml:"most"`
}

// Again waits for an answer that a vendor is still making.
type Again struct {
	// Status are the statuses that say so; When is a jq program over the body that does.
	Status []int  `yaml:"status"`
	When   string `yaml:"when"`
	// After is how long to wait, unless the header named Header says how many seconds.
	After  time.Duration `yaml:"after"`
	Header string        `yaml:"header"`
	// Most is how long altogether.
	Most time.Duration `yaml:"most"`
}

// Remote is how a vendor is asked.
type Remote struct {
	// Hosts are what may be asked, such as api.vendor.example, *.vendor.example or setting:portal_url: what a hook says can lead nowhere
	// else.
	Hosts []string `yaml:"hosts"`
	// Auth is shown with every request.
	Auth *Auth `yaml:"auth"`
	// Rate is how fast it may be asked.
	Rate *Rate `yaml:"rate"`
	// Retries say what is tried again, and how often.
	Retries *Retries `yaml:"retries"`
	// Timeout of one request: 30s if left out.
	Timeout time.Duration `yaml:"timeout"`
	// MaxBytes of one answer: 64 MiB if left out.
	MaxBytes int64 `yaml:"max_bytes"`
}

// Auth is how we show who we are. Values are names of settings.
type Auth struct {
	// Kind is bearer (Authorization: Bearer <token>), header, query, basic or oauth2_refresh.
	Kind string `yaml:"kind"`
	// Name of the header or the query's field; Prefix comes before the token in it.
	Name   string `yaml:"name"`
	Prefix string `yaml:"prefix"`
	// Token is for bearer, header and query.
	Token string `yaml:"token"`
	// User and Password are for basic.
	User     string `yaml:"user"`
	Password string `yaml:"password"`
	// OAuth 2: a refresh token that gives tokens to ask with. A new refresh token that comes with one is kept.
	TokenURL     string   `yaml:"token_url"`
	ClientID     string   `yaml:"client_id"`
	ClientSecret string   `yaml:"client_secret"`
	RefreshToken string   `yaml:"refresh_token"`
	Scopes       []string `yaml:"scopes"`
	// InHeader: client id and secret go into a header; into the body, if left out.
	InHeader bool `yaml:"in_header"`
}

// Rate is so many requests in so long a time.
type Rate struct {
	Requests int           `yaml:"requests"`
	Per      time.Duration `yaml:"per"`
	// Burst is how many may come at once: one, if left out.
	Burst int `yaml:"burst"`
}

// Retries are for what may pass: no answer, 429 and 5xx, and Statuses.
type Retries struct {
	// Attempts altogether.
	Attempts int `yaml:"attempts"`
	// First is the first pause; each is twice the one before, up to Longest. Retry-After wins.
	First    time.Duration `yaml:"first"`
	Longest  time.Duration `yaml:"longest"`
	Statuses []int         `yaml:"statuses"`
}

// Defaults and limits of asking.
const (
	DefaultTimeout  = 30 * time.Second
	MaxTimeout      = 10 * time.Minute
	DefaultMaxBytes = 64 << 20
	MaxMaxBytes     = 4 << 30
	DefaultPages    = 10_000
	MaxPages        = 1_000_000
	MaxRequests     = 8
	MaxDays         = 400
	MinEvery        = time.Minute
	MaxEvery        = 31 * 24 * time.Hour
	MaxDelay        = time.Hour
	MaxAgain        = 24 * time.Hour
)

// DefaultRetries are those where a source says nothing.
var DefaultRetries = Retries{Attempts: 6, First: time.Second, Longest: 2 * time.Minute}
