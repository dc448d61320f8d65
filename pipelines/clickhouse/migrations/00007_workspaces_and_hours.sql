-- +goose Up

-- What views need to know of a workspace. Filled from the configuration at every start (stages.go).
-- offsets is the time zone as seconds east of UTC, each from a moment on: functions take no zone from a column.
-- Order: a view joins one workspace.
CREATE TABLE workspace_settings
(
    workspace  LowCardinality(String),
    timezone   LowCardinality(String),
    currency   LowCardinality(String),
    churn_days UInt32,
    offsets    Array(Tuple(since DateTime('UTC'), seconds Int32))
)
ENGINE = MergeTree
ORDER BY workspace
COMMENT 'One row is a workspace of the configuration; made anew at every start.';

-- How many events each source sent in each hour, as they came in. Filled at insert.
-- Order: a look at one workspace's sources over some weeks.
CREATE TABLE events_hourly
(
    workspace LowCardinality(String),
    source    LowCardinality(String),
    hour      DateTime('UTC') CODEC(Delta, ZSTD(1)),
    type      LowCardinality(String),
    events    UInt64,
    last      SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = SummingMergeTree((events))
ORDER BY (workspace, source, hour, type)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Events by source, hour of arrival and type; sum events and take the greatest last: rows of one key may not be merged yet.';

CREATE MATERIALIZED VIEW events_hourly_from_events TO events_hourly AS
SELECT workspace, source, toStartOfHour(received_at) AS hour, type, count() AS events, max(received_at) AS last
FROM events_log
GROUP BY workspace, source, hour, type;

-- How many items were refused in each hour, by the key they came with: what is refused may not even say its source.
CREATE TABLE rejected_hourly
(
    workspace LowCardinality(String),
    key       LowCardinality(String),
    hour      DateTime('UTC') CODEC(Delta, ZSTD(1)),
    code      LowCardinality(String),
    items     UInt64
)
ENGINE = SummingMergeTree((items))
ORDER BY (workspace, key, hour, code)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Refused items by key, hour and code; sum items: rows of one key may not be merged yet.';

CREATE MATERIALIZED VIEW rejected_hourly_from_dead_letters TO rejected_hourly AS
SELECT workspace, key, toStartOfHour(received_at) AS hour, code, count() AS items
FROM dead_letters
GROUP BY workspace, key, hour, code;

INSERT INTO events_hourly
SELECT workspace, source, toStartOfHour(received_at) AS hour, type, count(), max(received_at) FROM events_log GROUP BY workspace, source, hour, type;
INSERT INTO rejected_hourly
SELECT workspace, key, toStartOfHour(received_at) AS hour, code, count() FROM dead_letters GROUP BY workspace, key, hour, code;

-- +goose Down
DROP VIEW rejected_hourly_from_dead_letters;
DROP TABLE rejected_hourly;
DROP VIEW events_hourly_from_events;
DROP TABLE events_hourly;
DROP TABLE workspace_settings;
