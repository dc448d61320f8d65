-- A missed call is called back by the first call to the same person after it.
CREATE OR REPLACE VIEW calls_hourly AS
SELECT
    workspace, toDate(local) AS date, toDayOfWeek(local) AS weekday, toHour(local) AS hour,
    count() AS calls, countIf(status = 'answered') AS answered, countIf(status != 'answered') AS missed,
    countIf(status != 'answered' AND back <= 900) AS called_back_15m,
    countIf(status != 'answered' AND back <= 3600) AS called_back_1h,
    countIf(status != 'answered' AND back <= 86400) AS called_back_1d,
    countIf(status != 'answered' AND back IS NULL) AS never_called_back,
    uniqExact(person_id) AS callers
FROM
(
    SELECT
        incoming.workspace AS workspace, incoming.person_id AS person_id, incoming.status AS status,
        (incoming.call_time + toIntervalSecond(arrayLast(o -> o.since <= incoming.call_time, settings.offsets).seconds)) AS local,
        if(outgoing.call_time < incoming.call_time, NULL, dateDiff('second', incoming.call_time, outgoing.call_time)) AS back
    FROM (SELECT * FROM calls WHERE direction = 'in') AS incoming
    ASOF LEFT JOIN (SELECT workspace, person_id, call_time FROM calls WHERE direction = 'out') AS outgoing
        ON incoming.workspace = outgoing.workspace AND incoming.person_id = outgoing.person_id AND incoming.call_time <= outgoing.call_time
    INNER JOIN workspace_settings AS settings ON incoming.workspace = settings.workspace
)
GROUP BY workspace, date, weekday, hour
COMMENT 'One row is an hour of a day with inbound calls, in the workspace''s time zone (weekday 1 is Monday). Filter one workspace; the called_back columns count missed calls and include each other; callers are different people within the hour and do not add up.';
