-- name: survey
-- Lines by their keys. `rewritten` counts those that DuckDB would not write again as they are, and that have a number
-- which may be why: comparing is faster than searching every line.
CREATE OR REPLACE TEMP TABLE ${shapes} AS
SELECT
    CASE WHEN plain IS NOT NULL AND ${has_brace} THEN json_keys(line) END AS keys,
    count(*) AS line_count,
    count(*) FILTER (CASE WHEN plain = line THEN false ELSE regexp_matches(line, ${rewritten}) END) AS rewritten
FROM (SELECT line, TRY(CAST(json(line) AS VARCHAR)) AS plain FROM ${lines} WHERE ${is_filled})
GROUP BY keys
