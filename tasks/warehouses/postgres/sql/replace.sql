-- name: insert
INSERT INTO ${target} (${columns}) SELECT ${columns} FROM landing

-- name: delete_all
DELETE FROM ${target}

-- name: delete_window
DELETE FROM ${target} WHERE _window_start >= ${start} AND _window_end <= ${end}

-- name: delete_files
DELETE FROM ${target} WHERE _source_file IN (SELECT _source_file FROM landing)

-- name: delete_range
-- The text comparison spares the function what cannot lie in the interval; a local date is at most a day from UTC's.
DELETE FROM ${target}
WHERE ${column} COLLATE "C" >= ${first_text} AND ${column} COLLATE "C" < ${last_text}
    AND penstock.instant(${column}) >= ${start} AND penstock.instant(${column}) < ${end}

-- name: delete_typed_range
DELETE FROM ${target}
WHERE penstock.instant(${column}::TEXT) >= ${start} AND penstock.instant(${column}::TEXT) < ${end}

-- name: count_failing
SELECT count(*) FROM ${relation} WHERE ${condition}

-- name: keep_failing
INSERT INTO rejected (source_file, line, reason, raw_text)
SELECT _source_file, NULL, ${reason}, (SELECT row_to_json(r)::TEXT FROM (SELECT ${fields}) AS r)
FROM ${relation} WHERE ${condition}

-- name: delete_failing
DELETE FROM ${relation} WHERE ${condition}

-- name: index_over
-- Whether an index begins with these columns, in whatever order.
SELECT count(*)
FROM pg_index AS i
WHERE i.indrelid = to_regclass(${name}) AND i.indisvalid AND i.indpred IS NULL
    AND (
        SELECT array_agg(a.attname::TEXT ORDER BY a.attname::TEXT)
        FROM unnest((i.indkey::SMALLINT[])[0:${last_place}]) AS k(attnum)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    ) = (SELECT array_agg(c ORDER BY c) FROM unnest(ARRAY[${keys}]) AS c)
