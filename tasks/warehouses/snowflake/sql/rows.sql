-- name: create_landing
CREATE TRANSIENT TABLE IF NOT EXISTS ${landing} (${columns}) DATA_RETENTION_TIME_IN_DAYS = 0

-- name: create_rows
CREATE OR REPLACE VIEW ${rows} AS
SELECT ${own}, ${metadata}${computed}, f.number AS "PENSTOCK$$FILE_NUMBER", l."PENSTOCK$$ROW"
FROM ${landing} AS l
JOIN (VALUES ${files}) AS f (path, number, source_name) ON f.path = l."PENSTOCK$$FILE"

-- name: count_failing
SELECT count(*) FROM ${rows} WHERE ${condition}

-- name: failing
SELECT _source_file, CAST(NULL AS NUMBER(38, 0)) AS line, ${reason} AS reason, ${raw_text} AS raw_text
FROM ${rows}
WHERE ${condition}
ORDER BY "PENSTOCK$$FILE_NUMBER", "PENSTOCK$$ROW"

-- name: delete_failing
DELETE FROM ${landing} WHERE ${condition}

-- name: delete_rejected
DELETE FROM ${landing} AS l
USING (VALUES ${rejected}) AS r (path, row_number)
WHERE l."PENSTOCK$$FILE" = r.path AND l."PENSTOCK$$ROW" = r.row_number

-- name: insert
INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${rows}

-- name: overwrite
INSERT OVERWRITE INTO ${target} (${columns}) SELECT ${columns} FROM ${rows}

-- name: delete_window
DELETE FROM ${target} WHERE _window_start >= ${start} AND _window_end <= ${end}

-- name: delete_files
DELETE FROM ${target} WHERE _source_file IN (SELECT DISTINCT _source_file FROM ${rows})

-- name: delete_range
-- The text comparison lets Snowflake skip partitions; a local date is at most a day from UTC's.
DELETE FROM ${target}
WHERE ${column} >= ${first_text} AND ${column} < ${last_text} AND ${instant} >= ${start} AND ${instant} < ${end}

-- name: delete_typed_range
DELETE FROM ${target} WHERE ${instant} >= ${start} AND ${instant} < ${end}

-- name: delete_applied
DELETE FROM ${target} AS t
USING (SELECT DISTINCT ${named_keys_of_a} FROM ${applied} AS a) AS a
WHERE ${same_named_keys}

-- name: insert_applied
INSERT INTO ${target} (${columns}) SELECT ${columns} FROM ${applied} WHERE "PENSTOCK$$OUTCOME" IN (${kept})

-- name: count_outcomes
SELECT "PENSTOCK$$OUTCOME", count(*) FROM ${applied} GROUP BY "PENSTOCK$$OUTCOME"
