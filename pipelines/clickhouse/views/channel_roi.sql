CREATE OR REPLACE VIEW channel_roi AS
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
        sum(daily.visits) AS visits, sum(daily.impressions) AS impressions, sum(daily.clicks) AS clicks, sum(daily.spend) AS spend,
        sum(daily.inquiries) AS inquiries, sum(daily.deals) AS deals, sum(daily.sales) AS sales,
        sum(daily.revenue) AS revenue, sum(daily.cost_of_goods) AS cost_of_goods
    FROM channel_daily AS daily
    WHERE workspace = {workspace:String} AND model = {model:String} AND date_basis = {date_basis:String}
        AND date BETWEEN {from:Date} AND {to:Date}
    GROUP BY channel, source, medium, campaign
)
COMMENT 'What each channel cost and brought from one day to another, both included: channel_roi(workspace = , from = , to = , model = , date_basis = ).';
