package reports

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Report is one question that the API answers: a table or a parameterised view of ClickHouse, of one workspace.
type Report struct {
	Name string
	// Doc says what one row is.
	Doc    string
	Params []Param
	// from is what is read; {name} stands for a parameter, which ClickHouse binds.
	from string
	// order makes pages of one answer follow each other.
	order string
	// moving: the answer depends on the clock, so that it cannot be told by the ledger's position whether it has changed.
	moving bool
}

// Param is a parameter of a report.
type Param struct {
	Name, Doc string
	Default   string // empty: required
	Enum      []string
	kind      kind
}

type kind int

const (
	aDate kind = iota
	aMoment
	aWord
)

// Form of a parameter, for the description.
func (p Param) format() string {
	switch p.kind {
	case aDate:
		return "date"
	case aMoment:
		return "date-time"
	case aWord:
	}
	return ""
}

var (
	from  = Param{Name: "from", Doc: "first day, in the workspace's time zone", kind: aDate}
	to    = Param{Name: "to", Doc: "last day, included", kind: aDate}
	model = Param{Name: "model", Doc: "attribution model", Default: "last_non_direct", kind: aWord, Enum: []string{
		"first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "w_shaped",
	}}
	basis = Param{Name: "basis", Doc: "whose day counts: that of the touch, the deal's creation, the sale or the booking", Default: "sale", kind: aWord, Enum: bases}
	by    = Param{Name: "by", Doc: "what makes a person one of a month", Default: "first_touch", kind: aWord, Enum: []string{"first_touch", "first_sale", "spend"}}
	at    = Param{Name: "at", Doc: "the moment as of which it is answered", kind: aMoment}
	since = Param{Name: "from_recorded", Doc: "what was recorded after this moment", kind: aMoment}
	until = Param{Name: "to_recorded", Doc: "and up to this one", kind: aMoment}
)

const days = " WHERE workspace = {workspace:String} AND date BETWEEN {from:Date} AND {to:Date}"

// Catalog is every report of the API.
var Catalog = []Report{
	{Name: "channel_roi", Doc: "what each channel, source, medium and campaign cost and brought", Params: []Param{from, to, model, basis},
		from: "channel_roi(workspace = {workspace:String}, from = {from:String}, to = {to:String}, model = {model:String}, date_basis = {basis:String})", order: "channel, source, medium, campaign"},
	{Name: "channel_daily", Doc: "sums by day, channel, source, medium and campaign", Params: []Param{from, to, model, basis},
		from: "(SELECT date, channel, source, medium, campaign, sum(d.visits) AS visits, sum(d.impressions) AS impressions, sum(d.clicks) AS clicks, sum(d.spend) AS spend, " +
			"sum(d.inquiries) AS inquiries, sum(d.deals) AS deals, sum(d.sales) AS sales, sum(d.revenue) AS revenue, sum(d.cost_of_goods) AS cost_of_goods " +
			"FROM channel_daily AS d" + days + " AND model = {model:String} AND date_basis = {basis:String} GROUP BY date, channel, source, medium, campaign)",
		order: "date, channel, source, medium, campaign"},
	{Name: "channel_daily_as_of", Doc: "channel_daily as it stood at a moment", Params: []Param{at, model, basis},
		from: "channel_daily_as_of(workspace = {workspace:String}, at = {at:String}, model = {model:String}, date_basis = {basis:String})", order: "date, channel, source, medium, campaign"},
	{Name: "ledger_changes", Doc: "what changed between two moments, by cause", Params: []Param{since, until, model},
		from: "ledger_changes(workspace = {workspace:String}, from_recorded = {from_recorded:String}, to_recorded = {to_recorded:String}, model = {model:String})", order: "ALL"},
	{Name: "compare", Doc: "channel_roi against the period before and the same days a year before", Params: []Param{from, to, model, basis},
		from: "compare(workspace = {workspace:String}, from = {from:String}, to = {to:String}, model = {model:String}, date_basis = {basis:String})", order: "channel, source, medium, campaign"},
	{Name: "funnel", Doc: "a channel and a step: visits, inquiries, deals, each stage of the pipelines, won", Params: []Param{from, to, model},
		from: "funnel(workspace = {workspace:String}, from = {from:String}, to = {to:String}, model = {model:String})", order: "channel, position"},
	{Name: "managers_daily", Doc: "a manager and a day: calls, conversations and how soon they were answered, deals, sales", Params: []Param{from, to}, from: "(SELECT * FROM managers_daily" + days + ")", order: "date, manager"},
	{Name: "calls_hourly", Doc: "an hour of a day: answered, missed, called back", Params: []Param{from, to}, from: "(SELECT * FROM calls_hourly" + days + ")", order: "date, hour"},
	{Name: "reasons", Doc: "why deals were won and lost, by channel and manager", Params: []Param{from, to}, from: "(SELECT * FROM reasons" + days + ")", order: "date, status, reason, channel, manager"},
	{Name: "pipeline_speed", Doc: "hours of a stage, and of the whole cycle where the stage is empty", Params: []Param{from, to},
		from: "pipeline_speed(workspace = {workspace:String}, from = {from:String}, to = {to:String})", order: "pipeline, stage, status"},
	{Name: "customers", Doc: "a person who bought: sales, revenue, fifths by recency, frequency and money", from: "(SELECT * FROM customers WHERE workspace = {workspace:String})", order: "person_id", moving: true},
	{Name: "cohorts", Doc: "a month of people and a month since: what they brought", Params: []Param{by}, from: "cohorts(workspace = {workspace:String}, by = {by:String})", order: "cohort, month"},
	{Name: "repeat_daily", Doc: "a day: first and repeated sales", Params: []Param{from, to}, from: "(SELECT * FROM repeat_daily" + days + ")", order: "date"},
	{Name: "sources_health", Doc: "a source: when it was heard last, whether it is more silent than usual, and what was refused of it by code", from: "(SELECT * FROM sources_health WHERE workspace = {workspace:String})", order: "source", moving: true},
}

func reportNamed(name string) (Report, bool) {
	i := slices.IndexFunc(Catalog, func(r Report) bool { return r.Name == name })
	if i < 0 {
		return Report{}, false
	}
	return Catalog[i], true
}

// Pages.
const (
	DefaultLimit = 1_000
	MaxLimit     = 10_000
	maxOffset    = 10_000_000
)

// Query is a report with its parameters.
type Query struct {
	Report        Report
	Workspace     string
	Limit, Offset int
	values        map[string]string
}

// paramError is a parameter that is not what it must be.
type paramError struct{ field, message string }

func (e *paramError) Error() string { return e.field + ": " + e.message }

// NewQuery reads a report's parameters; what is not one is an error too, so that a misspelt one is not passed over.
func NewQuery(r Report, workspace string, q url.Values) (Query, error) {
	out := Query{Report: r, Workspace: workspace, Limit: DefaultLimit, values: map[string]string{"workspace": workspace}}
	known := []string{"workspace", "limit", "offset"}
	for _, p := range r.Params {
		known = append(known, p.Name)
		v := q.Get(p.Name)
		if v == "" {
			v = p.Default
		}
		text, err := p.read(v)
		if err != nil {
			return Query{}, err
		}
		out.values[p.Name] = text
	}
	for name := range q {
		if !slices.Contains(known, name) {
			return Query{}, &paramError{name, "is no parameter of this report; it takes " + strings.Join(known, ", ")}
		}
	}
	if f, t := out.values["from"], out.values["to"]; f != "" && t != "" && t < f {
		return Query{}, &paramError{"to", fmt.Sprintf("%s is before from", t)}
	}
	var err error
	if out.Limit, err = number(q, "limit", DefaultLimit, 1, MaxLimit); err != nil {
		return Query{}, err
	}
	out.Offset, err = number(q, "offset", 0, 0, maxOffset)
	return out, err
}

func number(q url.Values, name string, otherwise, least, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, &paramError{name, fmt.Sprintf("%.20q is not a number from %d to %d", text, least, most)}
	}
	return n, nil
}

func (p Param) read(v string) (string, error) {
	switch {
	case v == "":
		return "", &paramError{p.Name, "is required: " + p.Doc}
	case p.Enum != nil && !slices.Contains(p.Enum, v):
		return "", &paramError{p.Name, fmt.Sprintf("%.40q is none of %s", v, strings.Join(p.Enum, ", "))}
	case p.kind == aDate:
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			return "", &paramError{p.Name, fmt.Sprintf("%.40q is not a day such as 2026-11-01", v)}
		}
	case p.kind == aMoment:
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return "", &paramError{p.Name, fmt.Sprintf("%.40q is not a moment such as 2026-11-01T10:00:00Z", v)}
		}
		return t.UTC().Format("2006-01-02 15:04:05.000"), nil
	}
	return v, nil
}

var bound = regexp.MustCompile(`\{(\w+):(\w+)\}`)

// SQL is the statement, with a row more than asked for where there is one, and its arguments by name.
func (q Query) SQL() (string, map[string]string) {
	return fmt.Sprintf("SELECT * FROM %s ORDER BY %s LIMIT %d OFFSET %d", q.Report.from, q.Report.order, q.Limit+1, q.Offset), q.values
}

// Shown is the statement as somebody may run it: the arguments stand in it.
func (q Query) Shown() string {
	text, values := q.SQL()
	return bound.ReplaceAllStringFunc(text, func(m string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(values[bound.FindStringSubmatch(m)[1]]) + "'"
	})
}
