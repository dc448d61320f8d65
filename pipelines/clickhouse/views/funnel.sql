-- The funnel of one model: visits, inquiries and deals of the days asked for, and how far those deals went.
-- A deal is shared between channels as the model shares its creation, and carries these shares through every later step,
-- so no step counts more than the one before for any other reason than deals that skip a stage. What happens to the
-- deals after the last day still counts: the question is what became of them.
CREATE OR REPLACE VIEW funnel AS
WITH
    -- Whole months are read as such; days are what is left of the first and the last.
    addMonths(toStartOfMonth({from:Date} - 1), 1) AS first_month,
    toStartOfMonth({to:Date} + 1) AS after_months,
    -- Stages in the order of the configuration; one that is not listed comes after these, by name.
    (
        SELECT groupArray((pipeline, stage, is_first, is_last))
        FROM
        (
            SELECT pipeline, stage, row_number() OVER (PARTITION BY pipeline ORDER BY place, stage) AS nth, nth = 1 AS is_first,
                nth = count() OVER (PARTITION BY pipeline) AS is_last
            FROM
            (
                SELECT toString(pipeline) AS pipeline, toString(stage) AS stage, min(place) AS place
                FROM
                (
                    SELECT pipeline, stage, position AS place FROM stage_order WHERE workspace = {workspace:String}
                    UNION ALL
                    SELECT pipeline, stage, 4294967295
                    FROM funnel_sums
                    WHERE workspace = {workspace:String} AND model = {model:String} AND stage != ''
                        AND (grain = 'month' AND date >= first_month AND date < after_months
                            OR grain = 'day' AND date BETWEEN {from:Date} AND {to:Date} AND (date < first_month OR date >= after_months))
                    GROUP BY pipeline, stage, channel
                    HAVING sum(deals) != 0
                )
                GROUP BY pipeline, stage
            )
            ORDER BY pipeline, nth
        )
    ) AS stages,
    reached AS
    (
        SELECT
            channel, pipeline, stage, sum(deals) AS n, sumMap(stayedMap.since, stayedMap.shares, stayedMap.ms) AS stayed,
            arrayFilter(l -> l.1 > 0, arrayZip(stayed.2, stayed.3)) AS lengths, arraySum(l -> l.1, lengths) AS ended, arrayCumSum(l -> l.1, lengths) AS upto,
            -- The first length that half of them do not exceed and, where they are just half, the next.
            arrayFirstIndex(u -> 2 * u >= ended, upto) AS half, half + (half > 0 AND half < length(upto) AND 2 * upto[half] = ended) AS other,
            arrayMap(l -> toFloat64(l.2) / l.1 / 3600000, lengths) AS hours,
            if(ended = 0, NULL, arraySum(l -> toFloat64(l.2), lengths) / ended / 3600000) AS average,
            if(ended = 0, NULL, (hours[half] + hours[other]) / 2) AS median
        FROM funnel_sums
        WHERE workspace = {workspace:String} AND model = {model:String}
            AND (grain = 'month' AND date >= first_month AND date < after_months
                OR grain = 'day' AND date BETWEEN {from:Date} AND {to:Date} AND (date < first_month OR date >= after_months))
        GROUP BY channel, pipeline, stage
    ),
    channels AS
    (
        SELECT
            channel, sum(v) AS visits, sum(q) AS inquiries, sum(d) AS deals, sum(s) AS spend,
            groupArrayArray(steps) AS all_steps
        FROM
        (
            SELECT channel, toDecimal128(sum(daily.visits), 6) AS v, sum(daily.inquiries) AS q, sum(daily.deals) AS d, sum(daily.spend) AS s,
                CAST([], 'Array(Tuple(String, String, Decimal(38, 6), Nullable(Float64), Nullable(Float64)))') AS steps
            FROM channel_daily AS daily
            WHERE workspace = {workspace:String} AND model = {model:String} AND date_basis = 'lead' AND date BETWEEN {from:Date} AND {to:Date}
            GROUP BY channel
            UNION ALL
            SELECT channel, 0, 0, 0, 0, groupArray((toString(pipeline), toString(stage), toDecimal128(n, 6) / 1000000, average, median))
            FROM reached
            GROUP BY channel
        )
        GROUP BY channel
        HAVING visits != 0 OR inquiries != 0 OR deals != 0
    )
SELECT
    channel, position, s.1 AS pipeline, s.2 AS step, s.3 AS count, s.4 AS from_previous,
    toFloat64(count) / nullIf(toFloat64(visits), 0) AS from_first, s.5 AS average_hours, s.6 AS median_hours,
    toFloat64(spend) / nullIf(toFloat64(count), 0) AS cost
FROM
(
    SELECT
        channel, visits, spend,
        arrayMap(s -> (s.1, s.2, s.3, s.4, arrayFirst(r -> r.1 = s.1 AND r.2 = s.2, all_steps) AS found, found.3), stages) AS of_stages,
        arrayFirst(r -> r.2 = '', all_steps).3 AS won,
        -- Before won stand the last stages of all pipelines, or the deals themselves where there is no stage.
        if(empty(stages), deals, arraySum(s -> s.6, arrayFilter(s -> s.4, of_stages))) AS before_won,
        arrayConcat(
            [
                ('', 'visits', visits, CAST(NULL, 'Nullable(Float64)'), CAST(NULL, 'Nullable(Float64)'), CAST(NULL, 'Nullable(Float64)')),
                ('', 'inquiries', inquiries, toFloat64(inquiries) / nullIf(toFloat64(visits), 0), NULL, NULL),
                ('', 'deals', deals, toFloat64(deals) / nullIf(toFloat64(inquiries), 0), NULL, NULL)
            ],
            arrayMap((s, i) -> (s.1, s.2, s.6, toFloat64(s.6) / nullIf(toFloat64(if(s.3, deals, of_stages[i - 1].6)), 0), s.5.4, s.5.5),
                of_stages, arrayEnumerate(of_stages)),
            [('', 'won', won, toFloat64(won) / nullIf(toFloat64(before_won), 0), NULL, NULL)]) AS rows
    FROM channels
)
ARRAY JOIN rows AS s, arrayEnumerate(rows) AS position
ORDER BY channel, position
COMMENT 'One row is a channel and a step: visits, inquiries, deals, each stage of the pipelines in order, won. funnel(workspace = , from = , to = , model = ), days included. from_previous and from_first are NULL after a step of zero; average_hours and median_hours are of stays in the stage that are over, the median within 0.8 per cent; cost is the channel''s advertising in these days for each that reached the step.';
