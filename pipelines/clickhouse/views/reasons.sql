CREATE OR REPLACE VIEW reasons AS
SELECT
    workspace, date, status, if(r.reason = '', '(none)', r.reason) AS reason, channel, manager, sum(r.deals) AS deals, sum(r.amount) AS amount
FROM reasons_sums AS r
GROUP BY workspace, date, status, reason, channel, manager
HAVING deals != 0 OR amount != 0
COMMENT 'One row is a day of the workspace''s time zone, an end (won or lost), its reason, the last channel before the deal and its manager. Filter one workspace.';
