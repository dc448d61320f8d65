-- +goose Up

-- Where in Kafka an event is: whoever traces one finds the record, and with it what was handled before and after.
ALTER TABLE events_log
    ADD COLUMN partition Int32 COMMENT 'of the record in Kafka',
    ADD COLUMN offset Int64 COMMENT 'of the record in Kafka; the last one, if the event came more than once';

-- +goose Down
ALTER TABLE events_log DROP COLUMN partition, DROP COLUMN offset;
