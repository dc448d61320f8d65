INSERT INTO throughline.credits (workspace, recorded_at, cause, cause_type, person_id, conversion, conversion_id, model, touch_id, touch_time, lead_time, sale_time, booked_time,
    channel, source, medium, campaign, content, term, conversions, revenue, cost_of_goods, touch_date, lead_date, sale_date, booked_date)
SELECT
    'bench', sold, concat('crm/e', toString(p)), 'new', bench_person(p), conversion, if(conversion = 'inquiry', concat('site/f', toString(p)), concat('crm/', toString(p))), model,
    concat('site/v', toString(p * 5 + k)), touched, created, sold, sold, t.1, t.2, t.3, bench_name(c), '(none)', '(none)', toDecimal64(share, 6) / 1000000,
    toDecimal64(if(conversion = 'sale', if(k = n - 1, amount - arraySum(s -> intDiv(amount * s, 1000000), arraySlice(shares, 1, n - 1)), intDiv(amount * share, 1000000)), 0), 2) / 100, 0,
    toDate(touched, 'UTC'), toDate(created, 'UTC'), toDate(sold, 'UTC'), toDate(sold, 'UTC')
FROM
(
    SELECT
        p, conversion, part.1 AS model, part.2 AS shares, k, share, bench_created(p) AS created, if(conversion = 'sale', created + toIntervalDay(20), created) AS sold,
        bench_visit(p, k) AS touched, bench_campaign(p, k) AS c, bench_tuple(c) AS t, bench_touches(p) AS n, toInt64(bench_amount(p)) AS amount
    FROM
    (
        SELECT number * 2 AS p, arrayJoin(arrayConcat(['deal'], if(p % 4 = 0, ['inquiry'], []), if(bench_won(p), ['sale'], []))) AS conversion, arrayJoin(bench_models(p)) AS part
        FROM numbers(intDiv({people}, 2))
    )
    ARRAY JOIN part.2 AS share, range(toUInt8(n)) AS k
    WHERE share != 0
);
