-- +goose Up

-- How far each of Kafka's partitions is in these tables, with the plan that is being loaded, if any: it stands where the rows stand, so it
-- is true whatever the consumer group's offsets say, and a backup holds both. The loader writes a plan here before the plan's first row.
-- Order: the loader looks up the partitions that have become its own.
CREATE TABLE loads
(
    topic     LowCardinality(String),
    topic_id  LowCardinality(String) COMMENT 'a topic that was made anew under its name has another one',
    partition Int32,
    next      Int64 COMMENT 'the first offset behind the last plan',
    plan      String COMMENT 'empty once it is known to be loaded whole',
    version   UInt64 MATERIALIZED 2 * toUInt64(next) + empty(plan)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (topic, topic_id, partition)
COMMENT 'How far Kafka''s partitions are loaded; read it with FINAL.';

-- +goose Down
DROP TABLE loads;
