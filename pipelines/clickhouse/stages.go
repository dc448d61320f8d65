package schema

import (
	"fmt"
	"strings"
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
	rows := make([]string, len(stages))
	for i, s := range stages {
		rows[i] = fmt.Sprintf("(%s, %s, %s, %d)", quote(s.Workspace), quote(s.Pipeline), quote(s.Name), s.Place)
	}
	return replace + "\nAS SELECT * FROM values('workspace String, pipeline String, stage String, position UInt32', " + strings.Join(rows, ", ") + ")"
}

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

// quote makes a string literal of SQL.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
