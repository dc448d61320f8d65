-- The same sums as channel_daily, from the rows that were recorded by then: the ledger and the signed rows are never
-- changed, so what stood at any moment can be added up again.
CREATE OR REPLACE VIEW channel_daily_as_of AS
SELECT
    workspace, date_basis, date, model, channel, source, medium, campaign,
    sum(v) AS visits, sum(i) AS impressions, sum(k) AS clicks, sum(s) AS spend,
    sum(q) AS inquiries, sum(d) AS deals, sum(n) AS sales, sum(r) AS revenue, sum(g) AS cost_of_goods
FROM
(
    SELECT
        workspace, {date_basis:String} AS date_basis,
        multiIf(date_basis = 'touch', touch_date, date_basis = 'lead', lead_date, date_basis = 'sale', sale_date, booked_date) AS date,
        {model:String} AS model, channel, source, medium, campaign,
        toInt64(0) AS v, toInt64(0) AS i, toInt64(0) AS k, toDecimal64(0, 2) AS s,
        if(conversion = 'inquiry', conversions, 0) AS q, if(conversion = 'deal', conversions, 0) AS d, if(conversion = 'sale', conversions, 0) AS n,
        revenue AS r, cost_of_goods AS g
    FROM credits
    WHERE workspace = {workspace:String} AND credits.model = {model:String} AND recorded_at <= parseDateTime64BestEffort({at:String}, 3, 'UTC')
    UNION ALL
    SELECT
        workspace, {date_basis:String}, touch_date, {model:String}, channel, source, medium, campaign,
        toInt64(sign), 0, 0, 0, 0, 0, 0, 0, 0
    FROM touches_log
    WHERE workspace = {workspace:String} AND type = 'visit' AND recorded_at <= parseDateTime64BestEffort({at:String}, 3, 'UTC')
    UNION ALL
    SELECT
        workspace, {date_basis:String}, date, {model:String}, channel, source, medium, campaign,
        0, sign * impressions, sign * clicks, sign * amount, 0, 0, 0, 0, 0
    FROM spend_log
    WHERE workspace = {workspace:String} AND recorded_at <= parseDateTime64BestEffort({at:String}, 3, 'UTC')
)
WHERE date_basis IN ('touch', 'lead', 'sale', 'booked')
GROUP BY workspace, date_basis, date, model, channel, source, medium, campaign
HAVING visits != 0 OR impressions != 0 OR clicks != 0 OR spend != 0 OR inquiries != 0 OR deals != 0 OR sales != 0 OR revenue != 0 OR cost_of_goods != 0
COMMENT 'channel_daily as it stood at a moment: channel_daily_as_of(workspace = , at = , model = , date_basis = ); at is a time in UTC, or with an offset.';
