CREATE OR REPLACE VIEW reasons AS
SELECT
    d.workspace AS workspace, toDate((assumeNotNull(d.closed_at) + toIntervalSecond(arrayLast(o -> o.since <= assumeNotNull(d.closed_at), s.offsets).seconds))) AS date, d.status AS status,
    if(d.reason = '', '(none)', d.reason) AS reason, d.last_channel AS channel, d.manager AS manager,
    count() AS deals, sum(d.amount) AS amount
FROM deals AS d INNER JOIN workspace_settings AS s ON d.workspace = s.workspace
WHERE d.status IN ('won', 'lost') AND NOT d.deleted AND d.closed_at IS NOT NULL
GROUP BY workspace, date, status, reason, channel, manager
COMMENT 'One row is a day, an end (won or lost), its reason, the last channel before the deal and its manager. Filter one workspace.';
