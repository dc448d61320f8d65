-- A missed call is called back by the first call to the same person after it.
CREATE OR REPLACE VIEW calls_hourly AS
SELECT
    workspace, date, toDayOfWeek(local) AS weekday, toHour(local) AS hour,
    count() AS calls, countIf(status = 'answered') AS answered, countIf(status != 'answered') AS missed,
    countIf(status != 'answered' AND back <= 900000) AS called_back_15m,
    countIf(status != 'answered' AND back <= 3600000) AS called_back_1h,
    countIf(status != 'answered' AND back <= 86400000) AS called_back_1d,
    countIf(status != 'answered' AND back IS NULL) AS never_called_back,
    uniqExact(person_id) AS callers
FROM
(
    SELECT
        incoming.workspace AS workspace, incoming.call_date AS date, incoming.person_id AS person_id, incoming.status AS status,
        (incoming.call_time + toIntervalSecond(arrayLast(o -> o.since <= incoming.call_time, settings.offsets).seconds)) AS local,
        if(outgoing.call_time < incoming.call_time, NULL, dateDiff('millisecond', incoming.call_time, outgoing.call_time)) AS back
    FROM
    (
        SELECT workspace, call_date, call_id, person_id, call_time, status
        FROM calls_log
        WHERE direction = 'in'
        GROUP BY workspace, call_date, call_id, person_id, call_time, status
        HAVING sum(sign) > 0
    ) AS incoming
    ASOF LEFT JOIN
    (
        SELECT workspace, person_id, call_time FROM calls_log WHERE direction = 'out' GROUP BY workspace, person_id, call_time HAVING sum(sign) > 0
    ) AS outgoing
        ON incoming.workspace = outgoing.workspace AND incoming.person_id = outgoing.person_id AND incoming.call_time <= outgoing.call_time
    INNER JOIN workspace_settings AS settings ON incoming.workspace = settings.workspace
)
GROUP BY workspace, date, weekday, hour
COMMENT 'One row is an hour of a day with inbound calls, in the workspace''s time zone (weekday 1 is Monday). Filter one workspace; the called_back columns count missed calls and include each other; callers are different people within the hour and do not add up.';
