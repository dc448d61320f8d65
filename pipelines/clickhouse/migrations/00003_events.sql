-- +goose Up

-- Raw events as the collector accepted them, by its own path: the audit's input. A record that Kafka holds twice is one
-- row, for its key and content are the same; a conflict (same id, other content) is a row of its own.
-- Order: the event's name, which is what duplicates share.
CREATE TABLE events_log
(
    workspace   LowCardinality(String),
    source      LowCardinality(String),
    id          String,
    content     UInt64,
    type        LowCardinality(String),
    time        DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    node_kinds  Array(LowCardinality(String)),
    node_ids    Array(UUID),
    raw         String CODEC(ZSTD(3)),
    wire        String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY (workspace, source, id, content)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Rows behind the view events.';

-- Events that came with an id that was taken, and other content: they count for nothing.
CREATE TABLE conflicts
(
    workspace   LowCardinality(String),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    source      LowCardinality(String),
    event_id    String,
    content     UInt64
)
ENGINE = MergeTree
ORDER BY (workspace, source, event_id, content)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'One row is an event that a sender gave the id of another one: the first stays, this one counts for nothing.';

-- What was not accepted, or could not be handled: the dead-letter topic as a table.
-- Order: somebody looks at what one workspace sent lately.
CREATE TABLE dead_letters
(
    workspace        LowCardinality(String),
    received_at      DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    key              LowCardinality(String) COMMENT 'name of the key that it came with',
    code             LowCardinality(String),
    field            LowCardinality(String),
    message          String,
    item             Int64 COMMENT 'its place in the request',
    body             String COMMENT 'as it was sent' CODEC(ZSTD(3)),
    sealed           String COMMENT 'as it was sent, encrypted under the pepper of a workspace that stores no contacts' CODEC(NONE),
    record_topic     LowCardinality(String) COMMENT 'where the record is that could not be handled after it was accepted',
    record_partition Int32,
    record_offset    Int64,
    record           String CODEC(ZSTD(3)),
    partition        Int32 COMMENT 'of the dead letter itself',
    offset           Int64
)
ENGINE = MergeTree
ORDER BY (workspace, received_at)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'One row is an item that was not accepted, with the reason. BI users may not read it.';

-- +goose Down
DROP TABLE dead_letters;
DROP TABLE conflicts;
DROP TABLE events_log;
