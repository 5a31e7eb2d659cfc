-- name: insert
INSERT INTO ${target} (${columns})
${select}

-- name: land
CREATE OR REPLACE TEMP TABLE landing AS
SELECT *${computed} FROM (
${select}
)

-- name: delete_window
DELETE FROM ${target}
WHERE _window_start >= ${start} AND _window_end <= ${end} AND _batch_id <> ${batch_id}

-- name: delete_files
DELETE FROM ${target}
WHERE _source_file IN (SELECT _source_file FROM ${target} WHERE _batch_id = ${batch_id}) AND _batch_id <> ${batch_id}

-- name: delete_range
-- The text comparison lets DuckDB skip what cannot lie in the interval; a local date is at most a day from UTC's.
DELETE FROM ${target}
WHERE ${column} >= ${first_text} AND ${column} < ${last_text}
    AND penstock_instant(${column}) >= ${start} AND penstock_instant(${column}) < ${end}
    AND _batch_id <> ${batch_id}

-- name: delete_typed_range
DELETE FROM ${target}
WHERE penstock_instant(${column}) >= ${start} AND penstock_instant(${column}) < ${end} AND _batch_id <> ${batch_id}

-- name: count_failing
SELECT count(*) FROM ${relation} WHERE ${scope} AND (${condition})

-- name: keep_failing
INSERT INTO rejected (source_file, line, reason, raw_text)
SELECT _source_file, NULL, ${reason}, CAST(to_json({${fields}}) AS VARCHAR)
FROM ${relation} WHERE ${scope} AND (${condition})

-- name: delete_failing
DELETE FROM ${relation} WHERE ${scope} AND (${condition})
