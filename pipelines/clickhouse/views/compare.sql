-- The period before is as long and ends the day before; a year before is the same days of the year before.
CREATE OR REPLACE VIEW compare AS
SELECT
    channel, source, medium, campaign,
    sumIf(v, period = 0) AS visits, sumIf(v, period = 1) AS visits_before, sumIf(v, period = 2) AS visits_year_before,
    sumIf(i, period = 0) AS impressions, sumIf(i, period = 1) AS impressions_before, sumIf(i, period = 2) AS impressions_year_before,
    sumIf(k, period = 0) AS clicks, sumIf(k, period = 1) AS clicks_before, sumIf(k, period = 2) AS clicks_year_before,
    sumIf(s, period = 0) AS spend, sumIf(s, period = 1) AS spend_before, sumIf(s, period = 2) AS spend_year_before,
    sumIf(q, period = 0) AS inquiries, sumIf(q, period = 1) AS inquiries_before, sumIf(q, period = 2) AS inquiries_year_before,
    sumIf(d, period = 0) AS deals, sumIf(d, period = 1) AS deals_before, sumIf(d, period = 2) AS deals_year_before,
    sumIf(n, period = 0) AS sales, sumIf(n, period = 1) AS sales_before, sumIf(n, period = 2) AS sales_year_before,
    sumIf(r, period = 0) AS revenue, sumIf(r, period = 1) AS revenue_before, sumIf(r, period = 2) AS revenue_year_before,
    sumIf(g, period = 0) AS cost_of_goods, sumIf(g, period = 1) AS cost_of_goods_before, sumIf(g, period = 2) AS cost_of_goods_year_before,
    if(inquiries = 0, NULL, toFloat64(spend) / toFloat64(inquiries)) AS cpl,
    if(inquiries_before = 0, NULL, toFloat64(spend_before) / toFloat64(inquiries_before)) AS cpl_before,
    if(inquiries_year_before = 0, NULL, toFloat64(spend_year_before) / toFloat64(inquiries_year_before)) AS cpl_year_before,
    if(sales = 0, NULL, toFloat64(spend) / toFloat64(sales)) AS cac,
    if(sales_before = 0, NULL, toFloat64(spend_before) / toFloat64(sales_before)) AS cac_before,
    if(sales_year_before = 0, NULL, toFloat64(spend_year_before) / toFloat64(sales_year_before)) AS cac_year_before,
    if(spend = 0, NULL, toFloat64(revenue) / toFloat64(spend)) AS roas,
    if(spend_before = 0, NULL, toFloat64(revenue_before) / toFloat64(spend_before)) AS roas_before,
    if(spend_year_before = 0, NULL, toFloat64(revenue_year_before) / toFloat64(spend_year_before)) AS roas_year_before,
    if(spend = 0, NULL, toFloat64(revenue - cost_of_goods - spend) / toFloat64(spend)) AS romi,
    if(spend_before = 0, NULL, toFloat64(revenue_before - cost_of_goods_before - spend_before) / toFloat64(spend_before)) AS romi_before,
    if(spend_year_before = 0, NULL, toFloat64(revenue_year_before - cost_of_goods_year_before - spend_year_before) / toFloat64(spend_year_before)) AS romi_year_before,
    if(revenue = 0, NULL, toFloat64(spend) / toFloat64(revenue)) AS drr,
    if(revenue_before = 0, NULL, toFloat64(spend_before) / toFloat64(revenue_before)) AS drr_before,
    if(revenue_year_before = 0, NULL, toFloat64(spend_year_before) / toFloat64(revenue_year_before)) AS drr_year_before,
    if(visits = 0, NULL, toFloat64(inquiries) / visits) AS inquiry_rate,
    if(visits_before = 0, NULL, toFloat64(inquiries_before) / visits_before) AS inquiry_rate_before,
    if(visits_year_before = 0, NULL, toFloat64(inquiries_year_before) / visits_year_before) AS inquiry_rate_year_before,
    if(deals = 0, NULL, toFloat64(sales) / toFloat64(deals)) AS close_rate,
    if(deals_before = 0, NULL, toFloat64(sales_before) / toFloat64(deals_before)) AS close_rate_before,
    if(deals_year_before = 0, NULL, toFloat64(sales_year_before) / toFloat64(deals_year_before)) AS close_rate_year_before
FROM
(
    SELECT
        channel, source, medium, campaign, daily.visits AS v, daily.impressions AS i, daily.clicks AS k, daily.spend AS s, daily.inquiries AS q,
        daily.deals AS d, daily.sales AS n, daily.revenue AS r, daily.cost_of_goods AS g,
        arrayJoin(arrayFilter(p -> (p = 0 AND date BETWEEN {from:Date} AND {to:Date})
            OR (p = 1 AND date < {from:Date} AND date >= {from:Date} - (dateDiff('day', {from:Date}, {to:Date}) + 1))
            OR (p = 2 AND date BETWEEN {from:Date} - INTERVAL 1 YEAR AND {to:Date} - INTERVAL 1 YEAR), [0, 1, 2])) AS period
    FROM channel_daily AS daily
    WHERE workspace = {workspace:String} AND model = {model:String} AND date_basis = {date_basis:String}
        AND date BETWEEN least({from:Date} - INTERVAL 1 YEAR, {from:Date} - (dateDiff('day', {from:Date}, {to:Date}) + 1)) AND {to:Date}
)
GROUP BY channel, source, medium, campaign
COMMENT 'channel_roi against the period before, which is as long, and the same days a year before: compare(workspace = , from = , to = , model = , date_basis = ).';
