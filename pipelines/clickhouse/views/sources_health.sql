-- What is usual for an hour of the week is the average of the eight weeks before.
CREATE OR REPLACE VIEW sources_health AS
WITH toStartOfHour(now('UTC')) AS this_hour
SELECT
    workspace, source, max(last) AS last_event, dateDiff('minute', last_event, now64(3, 'UTC')) AS silent_minutes,
    sumIf(events, hour = this_hour - INTERVAL 1 HOUR) AS last_hour,
    sumIf(events, hour >= this_hour - INTERVAL 1 DAY) AS last_day,
    sumIf(events, hour < this_hour - INTERVAL 1 HOUR AND hour >= this_hour - INTERVAL 1345 HOUR
        AND dateDiff('hour', hour, this_hour - INTERVAL 1 HOUR) % 168 = 0) / 8 AS usual_hour,
    last_hour = 0 AND usual_hour >= 1 AS too_silent
FROM events_hourly
GROUP BY workspace, source
COMMENT 'One row is a source: when it was heard last, how much in the last full hour and day, how much is usual in that hour of the week (average of eight weeks), and whether it is more silent than usual. What was refused, by key and code, is in rejected_hourly. Filter one workspace.';
