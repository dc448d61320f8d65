INSERT INTO throughline.deals_log (workspace, recorded_at, sign, deal_id, person_id, pipeline, stage, status, amount, cost_of_goods, created_at, won_at, closed_at, manager, reason,
    first_channel, last_channel, title, deleted, created_date, won_date, closed_date)
SELECT
    'bench', created, 1, concat('crm/', toString(p)), bench_person(p), 'sales', ['new', 'contact', 'test_drive', 'invoice'][bench_stages(p)], if(won, 'won', 'lost'), toDecimal64(bench_amount(p), 2) / 100, 0,
    created, if(won, closed, NULL), closed, concat('m', toString(cityHash64(p, 'm') % 40)), concat('r', toString(cityHash64(p, 'r') % 12)),
    bench_tuple(bench_campaign(p, 0)).1, bench_tuple(bench_campaign(p, bench_touches(p) - 1)).1, concat('deal ', toString(p)), false, toDate(created, 'UTC'), if(won, toDate(closed, 'UTC'), NULL), toDate(closed, 'UTC')
FROM (SELECT number * 2 AS p, bench_created(p) AS created, bench_won(p) AS won, created + toIntervalDay(20) AS closed FROM numbers(intDiv({people}, 2)));
