-- The funnel of one model: visits, inquiries and deals of the days asked for, and how far those deals went.
-- A deal is shared between channels as the model shares its creation, and carries these shares through every later step,
-- so no step counts more than the one before for any other reason than deals that skip a stage. What happens to the
-- deals after the last day still counts: the question is what became of them.
-- A step is (kind, pipeline, name); kinds are 1 visits, 2 inquiries, 3 deals, 4 a stage, 5 won. There is no join and no scalar in it
-- because most of the time it takes is that of its analysis.
CREATE OR REPLACE VIEW funnel AS
WITH
    -- Whole months are read as such; days are what is left of the first and the last.
    addMonths(toStartOfMonth({from:Date} - 1), 1) AS first_month,
    toStartOfMonth({to:Date} + 1) AS after_months
SELECT
    channel, position, this.2 AS pipeline, this.3 AS step, counts[key] AS count, toFloat64(counts[key]) / nullIf(before, 0) AS from_previous,
    toFloat64(counts[key]) / nullIf(toFloat64(visits), 0) AS from_first, averages[key] AS average_hours, medians[key] AS median_hours,
    spend / nullIf(toFloat64(counts[key]), 0) AS cost
FROM
(
    SELECT channel, visits, spend, counts, averages, medians, this, toString(this) AS key, before, position
    FROM
    (
        SELECT
            channel, visits, spend, counts, averages, medians, steps, values,
            arraySum((s, next, v) -> if(s.1 = 4 AND (next.1 = 5 OR next.2 != s.2), v, 0.), steps, arrayPushBack(arrayPopFront(steps), (toUInt8(0), '', '')), values) AS at_last
        FROM
        (
            SELECT
                channel, visits, spend, counts, averages, medians, arrayConcat([(toUInt8(1), '', 'visits'), (toUInt8(2), '', 'inquiries'), (toUInt8(3), '', 'deals')],
                    arraySort(s -> (s.2, indexOf(known, s) = 0, indexOf(known, s), s.3), arrayDistinct(arrayConcat(known, reached))), [(toUInt8(5), '', 'won')]) AS steps,
                arrayMap(s -> toFloat64(counts[toString(s)]), steps) AS values
            FROM
            (
                -- Stages in the order of the configuration; one that is not listed comes after these, by name.
                SELECT
                    channel, sum(v) AS visits, toFloat64(sum(s)) AS spend,
                    groupArrayArray(groupArrayArray(l)) OVER () AS known, groupArrayArray(arrayFilter(k -> k.1 = 4, groupArrayArray(k))) OVER () AS reached,
                    mapFromArrays(arrayMap(s -> toString(s), arrayConcat([(toUInt8(1), '', 'visits'), (toUInt8(2), '', 'inquiries'), (toUInt8(3), '', 'deals')], groupArrayArray(k))),
                        arrayConcat([sum(v), sum(q), sum(d)], groupArrayArray(n))) AS counts,
                    -- A step that no stay of is over is in neither of these, and then NULL.
                    mapFromArrays(arrayMap(s -> toString(s), groupArrayArray(h)), CAST(groupArrayArray(a), 'Array(Nullable(Float64))')) AS averages,
                    mapFromArrays(arrayMap(s -> toString(s), groupArrayArray(h)), CAST(groupArrayArray(m), 'Array(Nullable(Float64))')) AS medians
                FROM
                (
                    SELECT channel, toDecimal128(sum(visits), 6) AS v, sum(inquiries) AS q, sum(deals) AS d, sum(spend) AS s,
                        CAST([], 'Array(Tuple(UInt8, String, String))') AS k, CAST([], 'Array(Decimal(38, 6))') AS n,
                        CAST([], 'Array(Tuple(UInt8, String, String))') AS h, CAST([], 'Array(Float64)') AS a, CAST([], 'Array(Float64)') AS m,
                        CAST([], 'Array(Tuple(UInt8, String, String))') AS l
                    FROM channel_monthly
                    WHERE workspace = {workspace:String} AND model = {model:String} AND date_basis = 'lead' AND month >= first_month AND month < after_months
                    GROUP BY channel
                    UNION ALL
                    SELECT channel, toDecimal128(sum(visits), 6), sum(inquiries), sum(deals), sum(spend), [], [], [], [], [], []
                    FROM channel_daily
                    WHERE workspace = {workspace:String} AND model = {model:String} AND date_basis = 'lead'
                        AND date BETWEEN {from:Date} AND {to:Date} AND (date < first_month OR date >= after_months)
                    GROUP BY channel
                    UNION ALL
                    SELECT channel, 0, 0, 0, 0, groupArray(step), groupArray(toDecimal128(share, 6) / 1000000),
                        groupArrayIf(step, ended > 0), groupArrayIf(average, ended > 0), groupArrayIf(median, ended > 0), []
                    FROM
                    (
                        -- What is counted under a length is of about that length, and its average is what it stands for.
                        SELECT
                            channel, if(stage = '', (toUInt8(5), '', 'won'), (toUInt8(4), toString(pipeline), toString(stage))) AS step, sum(deals) AS share,
                            sumMap(stayedMap.since, stayedMap.shares, stayedMap.ms) AS stays, arraySum(stays.2) AS ended,
                            arraySum(ms -> toFloat64(ms), stays.3) / ended / 3600000 AS average,
                            arrayReduce('quantileExactWeightedInterpolated(0.5)', arrayMap((ms, w) -> toFloat64(ms) / w / 3600000, stays.3, stays.2),
                                arrayMap(w -> toUInt64(greatest(w, 0)), stays.2)) AS median
                        FROM funnel_sums
                        WHERE workspace = {workspace:String} AND model = {model:String}
                            AND (grain = 'month' AND date >= first_month AND date < after_months
                                OR grain = 'day' AND date BETWEEN {from:Date} AND {to:Date} AND (date < first_month OR date >= after_months))
                        GROUP BY channel, pipeline, stage
                        HAVING share != 0
                    )
                    GROUP BY channel
                    UNION ALL
                    SELECT '', 0, 0, 0, 0, [], [], [], [], [], arrayMap(s -> (toUInt8(4), s.1, s.3), arraySort(groupArray((toString(pipeline), position, toString(stage)))))
                    FROM stage_order
                    WHERE workspace = {workspace:String}
                )
                GROUP BY channel
            )
            WHERE arrayExists(s -> counts[toString(s)] != 0, [(toUInt8(1), '', 'visits'), (toUInt8(2), '', 'inquiries'), (toUInt8(3), '', 'deals')])
        )
    )
    ARRAY JOIN
        steps AS this, arrayEnumerate(steps) AS position,
        -- Before the first stage of each pipeline stand the deals; before won the last stages of all of them, or the deals where there is no stage.
        arrayMap((s, last, value) -> multiIf(s.1 = 4 AND (last.1 != 4 OR last.2 != s.2), values[3], s.1 = 5 AND last.1 = 4, at_last, value),
            steps, arrayPushFront(arrayPopBack(steps), (toUInt8(0), '', '')), arrayPushFront(arrayPopBack(values), 0.)) AS before
)
ORDER BY channel, position
COMMENT 'One row is a channel and a step: visits, inquiries, deals, each stage of the pipelines in order, won. funnel(workspace = , from = , to = , model = ), days included. from_previous and from_first are NULL after a step of zero; average_hours and median_hours are of stays in the stage that are over, the median within 3 per cent; cost is the channel''s advertising in these days for each that reached the step.';
