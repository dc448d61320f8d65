-- The generated ledger of bench_reports_test.go: {people} people over three years, in order of time, as a ledger grows.
-- Each person has five visits of 300 campaigns of eight channels, the first of them most. Every second person has a deal, which two or three
-- of the visits come before; every fourth asks by a form first. Deals go through four stages, a quarter is won. Shares are those of the models,
-- time_decay's a constant that is near them. All that follows from a person's number, so that every table can be made apart.
CREATE OR REPLACE FUNCTION bench_start AS p -> toDateTime64('2023-11-01 08:00:00', 3, 'UTC') + toIntervalMillisecond(intDiv(p * toInt64(1080 * 86400000), {people}));
CREATE OR REPLACE FUNCTION bench_visit AS (p, k) -> bench_start(p) + toIntervalSecond([0, 60000, 150000, 400000, 700000][k + 1] + cityHash64(p, k) % 7200);
CREATE OR REPLACE FUNCTION bench_person AS p -> reinterpretAsUUID(sipHash128(toUInt64(p)));
CREATE OR REPLACE FUNCTION bench_campaign AS (p, k) -> toUInt32(floor(pow((cityHash64(p, k, 'c') % 100000) / 100000, 2) * 300));
CREATE OR REPLACE FUNCTION bench_tuple AS c -> (
    [('Paid Search', 'google', 'cpc'), ('Direct', '(direct)', '(none)'), ('Organic Search', 'google', 'organic'), ('Paid Social', 'facebook', 'paid'),
     ('Email', 'newsletter', 'email'), ('Referral', 'partner.example', 'referral'), ('Organic Social', 'facebook', 'social'), ('Display', 'network', 'banner')][c % 8 + 1]);
CREATE OR REPLACE FUNCTION bench_name AS c -> if(c % 8 = 1, '(none)', concat('c', toString(c)));
CREATE OR REPLACE FUNCTION bench_touches AS p -> if(p % 4 = 0, 3, 2);
CREATE OR REPLACE FUNCTION bench_created AS p -> bench_start(p) + toIntervalSecond(if(p % 4 = 0, 200000, 100000));
CREATE OR REPLACE FUNCTION bench_stages AS p -> [1, 1, 1, 2, 2, 2, 3, 3, 4, 4][cityHash64(p, 's') % 10 + 1];
CREATE OR REPLACE FUNCTION bench_stay AS (p, i) -> toInt64(360000 + cityHash64(p, i, 'h') % 400000000);
CREATE OR REPLACE FUNCTION bench_entered AS (p, i) -> bench_created(p) + toIntervalMillisecond(arraySum(j -> if(j < i, bench_stay(p, j), 0), [1, 2, 3, 4]));
CREATE OR REPLACE FUNCTION bench_won AS p -> cityHash64(p, 'w') % 4 = 0;
CREATE OR REPLACE FUNCTION bench_amount AS p -> 10000 + cityHash64(p, 'a') % 490000;
CREATE OR REPLACE FUNCTION bench_models AS p -> if(bench_touches(p) = 3,
    [('first_touch', [1000000, 0, 0]), ('last_touch', [0, 0, 1000000]), ('last_non_direct', [0, 0, 1000000]), ('linear', [333334, 333333, 333333]),
     ('time_decay', [310000, 330000, 360000]), ('position_based', [400000, 200000, 400000]), ('w_shaped', [450000, 100000, 450000])],
    [('first_touch', [1000000, 0]), ('last_touch', [0, 1000000]), ('last_non_direct', [0, 1000000]), ('linear', [500000, 500000]),
     ('time_decay', [480000, 520000]), ('position_based', [500000, 500000]), ('w_shaped', [500000, 500000])]);
INSERT INTO throughline.stage_order VALUES ('bench', 'sales', 'new', 1), ('bench', 'sales', 'contact', 2), ('bench', 'sales', 'test_drive', 3), ('bench', 'sales', 'invoice', 4);
INSERT INTO throughline.workspace_settings VALUES ('bench', 'UTC', 'EUR', 180, [('1970-01-01 00:00:00', 0)]);
