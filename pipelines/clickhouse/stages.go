package schema

import (
	"encoding/json"
	"sort"
	"strings"
	"time"
)

// Stage is a stage of a pipeline and its place in it, from one.
type Stage struct {
	Workspace, Pipeline, Name string
	Place                     int
}

// StageOrder replaces the order that the funnel has its stages in, at once: the configuration knows it, ClickHouse does
// not. What is not listed any more sorts after the others, by name.
func StageOrder(stages []Stage) string {
	const replace = "CREATE OR REPLACE TABLE " + Database + ".stage_order" + stageOrderTable
	if len(stages) == 0 {
		return replace
	}
	rows := make([]any, len(stages))
	for i, s := range stages {
		rows[i] = []any{s.Workspace, s.Pipeline, s.Name, s.Place}
	}
	return replace + "\nAS SELECT * FROM " + rowsOf("workspace String, pipeline String, stage String, position UInt32", rows)
}

// rowsOf is rows as a table function: one literal, since of values written out, each an expression, ClickHouse takes only so many.
func rowsOf(columns string, rows []any) string {
	var b strings.Builder
	for _, r := range rows {
		line, err := json.Marshal(r)
		if err != nil {
			panic(err) // strings and numbers
		}
		b.Write(append(line, '\n'))
	}
	return "format(JSONCompactEachRow, " + quote(columns) + ", " + quote(b.String()) + ")"
}

// MaxQuery bounds the statements made here, which ClickHouse has to be told (max_query_size): a workspace takes some 2 KiB.
const MaxQuery = 256 << 20

// stageOrderTable is as in the migration that makes the table first.
const stageOrderTable = `
(
    workspace LowCardinality(String),
    pipeline  LowCardinality(String),
    stage     LowCardinality(String),
    position  UInt32
)
ENGINE = MergeTree
ORDER BY (workspace, pipeline, position)
COMMENT 'The stages of each pipeline in order, from the configuration; made anew at every start.'`

// Settings is what views need to know of a workspace.
type Settings struct {
	Workspace, Timezone, Currency string
	ChurnDays                     int
	// Offsets is the time zone, in order.
	Offsets []Offset
}

// Offset is how far a zone is ahead of UTC from a moment on.
type Offset struct {
	Since   time.Time
	Seconds int
}

// Offsets are those of a zone from 2000 to 2040, the first from the beginning of time on: no event is older, and later rules are
// not known.
func Offsets(zone *time.Location) []Offset {
	const week = 7 * 24 * 60 * 60
	seconds := func(unix int64) int {
		_, s := time.Unix(unix, 0).In(zone).Zone()
		return s
	}
	from, to := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2041, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	out := []Offset{{time.Unix(0, 0), seconds(from)}}
	for at := from; at < to; at += week { // nowhere does a zone change twice within a week
		now := out[len(out)-1].Seconds
		if next := seconds(at + week); next != now {
			passed := sort.Search(week, func(i int) bool { return seconds(at+int64(i)) != now })
			out = append(out, Offset{time.Unix(at+int64(passed), 0), next})
		}
	}
	return out
}

// WorkspaceSettings replaces what ClickHouse knows of the workspaces, at once.
func WorkspaceSettings(all []Settings) string {
	const replace = "CREATE OR REPLACE TABLE " + Database + ".workspace_settings" + workspaceSettingsTable
	if len(all) == 0 {
		return replace
	}
	rows := make([]any, len(all))
	for i, s := range all {
		offsets := make([][2]int64, len(s.Offsets))
		for j, o := range s.Offsets {
			offsets[j] = [2]int64{o.Since.Unix(), int64(o.Seconds)}
		}
		rows[i] = []any{s.Workspace, s.Timezone, s.Currency, s.ChurnDays, offsets}
	}
	return replace + "\nAS SELECT * FROM " +
		rowsOf("workspace String, timezone String, currency String, churn_days UInt32, offsets Array(Tuple(DateTime('UTC'), Int32))", rows)
}

// workspaceSettingsTable is as in the migration that makes the table first.
const workspaceSettingsTable = `
(
    workspace  LowCardinality(String),
    timezone   LowCardinality(String),
    currency   LowCardinality(String),
    churn_days UInt32,
    offsets    Array(Tuple(since DateTime('UTC'), seconds Int32))
)
ENGINE = MergeTree
ORDER BY workspace
COMMENT 'One row is a workspace of the configuration; made anew at every start.'`

// quote makes a string literal of SQL.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
