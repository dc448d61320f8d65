-- Calls and conversations stand on their day, deals on the day they were created, won ones on the day they were won.
CREATE OR REPLACE VIEW managers_daily AS
SELECT
    workspace, date, manager,
    sum(m.calls_in) AS calls_in, sum(m.calls_out) AS calls_out, sum(m.missed) AS missed, sum(m.talk_seconds) AS talk_seconds,
    sum(m.deals) AS deals, sum(m.won) AS won, sum(m.revenue) AS revenue,
    if(won = 0, NULL, toFloat64(revenue) / won) AS average_check,
    if(deals = 0, NULL, won / deals) AS conversion,
    sum(m.conversations) AS conversations, sum(m.answered) AS answered,
    if(answered = 0, NULL, sum(m.answer_ms) / 1000 / answered) AS first_answer_seconds
FROM managers_sums AS m
GROUP BY workspace, date, manager
HAVING calls_in != 0 OR calls_out != 0 OR talk_seconds != 0 OR deals != 0 OR won != 0 OR revenue != 0 OR conversations != 0
COMMENT 'One row is a manager and a day of the workspace''s time zone: calls and conversations of that day, deals created on it, deals won on it. Filter one workspace. conversion is won over created of the same day; first_answer_seconds is the average of the answered conversations, whose manager is who answered.';
