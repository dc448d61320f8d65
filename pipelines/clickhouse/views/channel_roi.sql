-- Whole months are read as such; days are what is left of the first and the last.
CREATE OR REPLACE VIEW channel_roi AS
WITH addMonths(toStartOfMonth({from:Date} - 1), 1) AS first_month, toStartOfMonth({to:Date} + 1) AS after_months
SELECT
    *,
    if(inquiries = 0, NULL, toFloat64(spend) / toFloat64(inquiries)) AS cpl,
    if(sales = 0, NULL, toFloat64(spend) / toFloat64(sales)) AS cac,
    if(spend = 0, NULL, toFloat64(revenue) / toFloat64(spend)) AS roas,
    if(spend = 0, NULL, toFloat64(revenue - cost_of_goods - spend) / toFloat64(spend)) AS romi,
    if(revenue = 0, NULL, toFloat64(spend) / toFloat64(revenue)) AS drr,
    if(visits = 0, NULL, toFloat64(inquiries) / visits) AS inquiry_rate,
    if(deals = 0, NULL, toFloat64(sales) / toFloat64(deals)) AS close_rate
FROM
(
    SELECT
        channel, source, medium, campaign,
        sum(sums.visits) AS visits, sum(sums.impressions) AS impressions, sum(sums.clicks) AS clicks, sum(sums.spend) AS spend,
        sum(sums.inquiries) AS inquiries, sum(sums.deals) AS deals, sum(sums.sales) AS sales,
        sum(sums.revenue) AS revenue, sum(sums.cost_of_goods) AS cost_of_goods
    FROM
    (
        SELECT channel, source, medium, campaign, visits, impressions, clicks, spend, inquiries, deals, sales, revenue, cost_of_goods
        FROM channel_monthly
        WHERE workspace = {workspace:String} AND model = {model:String} AND date_basis = {date_basis:String}
            AND month >= first_month AND month < after_months
        UNION ALL
        SELECT channel, source, medium, campaign, visits, impressions, clicks, spend, inquiries, deals, sales, revenue, cost_of_goods
        FROM channel_daily
        WHERE workspace = {workspace:String} AND model = {model:String} AND date_basis = {date_basis:String}
            AND date BETWEEN {from:Date} AND {to:Date} AND (date < first_month OR date >= after_months)
    ) AS sums
    GROUP BY channel, source, medium, campaign
)
COMMENT 'What each channel cost and brought from one day to another, both included: channel_roi(workspace = , from = , to = , model = , date_basis = ).';
