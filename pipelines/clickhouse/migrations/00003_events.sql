-- +goose Up

-- Raw events as the collector accepted them, by its own path: the audit's input. A record that Kafka holds twice is one
-- row, for its key and content are the same; a conflict (same id, other content) is a row of its own.
-- Order: the event's name, which is what duplicates share.
CREATE TABLE events_log
(
    workspace   LowCardinality(String),
    source      LowCardinality(String),
    id          String CODEC(ZSTD(1)),
    content     UInt64,
    type        LowCardinality(String),
    time        DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    node_kinds  Array(LowCardinality(String)) CODEC(ZSTD(1)),
    node_ids    Array(UUID) CODEC(ZSTD(1)),
    raw         String CODEC(ZSTD(3)),
    wire        String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY (workspace, source, id, content)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Rows behind the view events.';

-- Events that came with an id that was taken, and other content: they count for nothing.
CREATE TABLE conflicts
(
    workspace   LowCardinality(String),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    source      LowCardinality(String),
    event_id    String CODEC(ZSTD(1)),
    content     UInt64
)
ENGINE = MergeTree
ORDER BY (workspace, source, event_id, content)
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One row is an event that a sender gave the id of another one: the first stays, this one counts for nothing.';

-- +goose Down
DROP TABLE conflicts;
DROP TABLE events_log;
