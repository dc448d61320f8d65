-- What was recorded after one moment and up to another: the two reports as_of these moments differ by just these rows.
CREATE OR REPLACE VIEW ledger_changes AS
SELECT
    workspace, cause_type, cause, min(recorded_at) AS first_recorded_at, channel, booked_date AS date, conversion,
    count() AS entries, uniqExact(conversion_id) AS conversion_ids,
    sumIf(conversions, conversion = 'inquiry') AS inquiries,
    sumIf(conversions, conversion = 'deal') AS deals,
    sumIf(conversions, conversion = 'sale') AS sales,
    sum(credits.revenue) AS revenue, sum(credits.cost_of_goods) AS cost_of_goods
FROM credits
WHERE workspace = {workspace:String} AND model = {model:String}
    AND recorded_at > parseDateTime64BestEffort({from_recorded:String}, 3, 'UTC')
    AND recorded_at <= parseDateTime64BestEffort({to_recorded:String}, 3, 'UTC')
GROUP BY workspace, cause_type, cause, channel, booked_date, conversion
HAVING inquiries != 0 OR deals != 0 OR sales != 0 OR revenue != 0 OR cost_of_goods != 0
COMMENT 'What changed in the ledger, cause by cause: ledger_changes(workspace = , from_recorded = , to_recorded = , model = ), after the first moment and up to the second, both in UTC or with an offset. date is that of the booking.';
