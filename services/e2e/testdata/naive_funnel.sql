-- What the funnel must say of deals, by joining what stands: the shares of each deal's creation with its stays and its end.
WITH
    shares AS
    (
        SELECT conversion_id AS deal, channel, sum(conversions) AS share
        FROM throughline.credits
        WHERE workspace = '{workspace}' AND model = '{model}' AND conversion = 'deal' AND lead_date BETWEEN '{from}' AND '{to}'
        GROUP BY deal, channel
        HAVING share != 0
    ),
    stays AS
    (
        SELECT deal_id, toString(pipeline) AS p, toString(stage) AS s, sumOrNull((toUnixTimestamp64Milli(left_at) - toUnixTimestamp64Milli(entered_at)) / 3600000.) AS hours
        FROM throughline.deal_stages
        WHERE workspace = '{workspace}'
        GROUP BY deal_id, p, s
    )
SELECT channel, p, s, sum(share) AS n, round(sumIf(toFloat64(share) * h, h IS NOT NULL) / nullIf(sumIf(toFloat64(share), h IS NOT NULL), 0), 6) AS average
FROM
(
    SELECT channel, '' AS p, 'deals' AS s, share, CAST(NULL, 'Nullable(Float64)') AS h FROM shares
    UNION ALL
    SELECT channel, p, s, share, hours FROM shares INNER JOIN stays ON shares.deal = stays.deal_id
    UNION ALL
    SELECT channel, '', 'won', share, NULL FROM shares
    INNER JOIN (SELECT deal_id FROM throughline.deals WHERE workspace = '{workspace}' AND status = 'won' AND NOT deleted) AS sold ON shares.deal = sold.deal_id
)
GROUP BY channel, p, s
HAVING n != 0
ORDER BY channel, p, s
