-- +goose Up

-- Which source an item named that was refused, where that could be read.
ALTER TABLE dead_letters ADD COLUMN source LowCardinality(String) COMMENT 'that the item names; empty where that cannot be read';

ALTER TABLE rejected_hourly ADD COLUMN source LowCardinality(String), MODIFY ORDER BY (workspace, key, hour, code, source);

ALTER TABLE rejected_hourly MODIFY COMMENT 'Refused items by key, source, hour and code; sum items: rows of one key may not be merged yet.';

DROP VIEW rejected_hourly_from_dead_letters;

CREATE MATERIALIZED VIEW rejected_hourly_from_letters TO rejected_hourly AS
SELECT workspace, key, toStartOfHour(received_at) AS hour, code, source, count() AS items
FROM dead_letters
GROUP BY workspace, key, hour, code, source;

-- +goose Down
DROP VIEW rejected_hourly_from_letters;
