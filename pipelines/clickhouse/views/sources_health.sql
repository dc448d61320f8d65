-- What is usual for an hour of the week is the average of the eight weeks before, or of as many as the source is known.
CREATE OR REPLACE VIEW sources_health AS
WITH toStartOfHour(now('UTC')) AS this_hour
SELECT
    workspace, source, if(events = 0, NULL, last) AS last_event, if(events = 0, NULL, dateDiff('minute', last, now64(3, 'UTC'))) AS silent_minutes,
    last_hour, last_day, same_hours / least(8, greatest(1, intDiv(dateDiff('hour', first_hour, this_hour - INTERVAL 1 HOUR), 168))) AS usual_hour,
    last_hour = 0 AND usual_hour >= 1 AS too_silent, rejected_last_day
FROM
(
    SELECT
        workspace, source, sum(n) AS events, max(heard) AS last, minIf(hour, n > 0) AS first_hour,
        sumIf(n, hour = this_hour - INTERVAL 1 HOUR) AS last_hour,
        sumIf(n, hour >= this_hour - INTERVAL 1 DAY) AS last_day,
        sumIf(n, hour < this_hour - INTERVAL 1 HOUR AND hour >= this_hour - INTERVAL 1345 HOUR
            AND dateDiff('hour', hour, this_hour - INTERVAL 1 HOUR) % 168 = 0) AS same_hours,
        sumMapIf(map(code, refused), refused > 0 AND hour >= this_hour - INTERVAL 1 DAY) AS rejected_last_day
    FROM
    (
        SELECT workspace, source, hour, toUInt64(e.events) AS n, e.last AS heard, '' AS code, toUInt64(0) AS refused FROM events_hourly AS e
        UNION ALL
        SELECT workspace, source, hour, toUInt64(0), toDateTime64(0, 3, 'UTC'), toString(code), toUInt64(items) FROM rejected_hourly
    )
    GROUP BY workspace, source
)
COMMENT 'One row is a source: when it was heard last, how much in the last full hour and day, how much is usual in that hour of the week (average of eight weeks), whether it is more silent than usual, and what was refused in the last day by code. What named no source that could be read stands under an empty one. Events by source and hour are in events_hourly, refused items by key and hour in rejected_hourly. Filter one workspace.';
