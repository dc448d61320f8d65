-- +goose Up

-- The order of stages in each pipeline, for the funnel. Filled from the configuration at every start (stages.go).
-- Order: a funnel reads one workspace.
CREATE TABLE stage_order
(
    workspace LowCardinality(String),
    pipeline  LowCardinality(String),
    stage     LowCardinality(String),
    position  UInt32
)
ENGINE = MergeTree
ORDER BY (workspace, pipeline, position)
COMMENT 'The stages of each pipeline in order, from the configuration; made anew at every start.';

-- +goose Down
DROP TABLE stage_order;
