-- name: date
-- An UPDATE would leave every row twice, for the statements after it to pass over.
ALTER TABLE landing ALTER COLUMN _valid_from TYPE TIMESTAMPTZ USING ${instant}

-- name: drop_repeated
-- Of several rows with one key and one time the last read stays.
DELETE FROM landing WHERE penstock_row IN (
    SELECT p.penstock_row
    FROM (
        SELECT penstock_row, row_number() OVER (PARTITION BY ${keys}, _valid_from ORDER BY penstock_row DESC) AS place
        FROM landing
        WHERE (${keys}) IN (SELECT ${keys} FROM landing GROUP BY ${keys} HAVING count(*) > 1)
    ) AS p
    WHERE p.place > 1
)

-- name: count_open
SELECT count(*) FROM ${target} WHERE _is_current

-- name: count_repeated
SELECT count(*) FROM (SELECT 1 FROM landing GROUP BY ${keys}, _valid_from HAVING count(*) > 1) AS r

-- name: close_absent
UPDATE ${target} AS t
SET _valid_to = ${extracted_at}, _is_current = false
WHERE t._is_current AND t._valid_from < ${extracted_at}
    AND NOT EXISTS (SELECT 1 FROM landing AS l WHERE ${same_keys})

-- name: reopen
-- A key that was closed and is there again, unchanged or not: its newest row holds from this extraction on.
UPDATE landing AS l
SET _valid_from = l._extracted_at
FROM (
    SELECT DISTINCT ON (${keys_of_l}) l.penstock_row AS newest_row, t.closed_at
    FROM landing AS l
    JOIN (
        SELECT ${keys_of_t}, max(t._valid_to) AS closed_at
        FROM ${target} AS t
        GROUP BY ${keys_of_t}
        HAVING NOT bool_or(t._is_current)
    ) AS t ON ${same_keys}
    ORDER BY ${keys_of_l}, l._valid_from DESC, l.penstock_row DESC
) AS c
WHERE c.newest_row = l.penstock_row AND l._valid_from <= c.closed_at AND l._extracted_at > c.closed_at

-- name: match
CREATE TEMP TABLE matched ON COMMIT DROP AS
SELECT
    t.ctid AS target_row, l.penstock_row AS landing_row, t._is_current, t._valid_from < l._valid_from AS is_older,
    l._valid_from AS ends_at
FROM ${target} AS t
JOIN landing AS l ON ${same_keys}

-- name: find_late
-- Rows that do more than follow the open version of their key, or begin a new key: late ones, several of one key, and
-- those of a key that was closed.
CREATE TEMP TABLE late ON COMMIT DROP AS
SELECT landing_row
FROM matched
GROUP BY landing_row
HAVING NOT (bool_and(is_older) AND bool_or(_is_current))
UNION
SELECT l.penstock_row
FROM landing AS l
JOIN (SELECT ${keys} FROM landing GROUP BY ${keys} HAVING count(*) > 1) AS t ON ${same_keys}

-- name: forget_late
DELETE FROM matched AS m USING late AS a WHERE a.landing_row = m.landing_row

-- name: end_open
UPDATE ${target} AS t
SET _valid_to = m.ends_at, _is_current = false
FROM matched AS m
WHERE m._is_current AND m.target_row = t.ctid

-- name: insert_open
INSERT INTO ${target} (${columns}, _valid_from, _valid_to, _is_current)
SELECT ${columns_of_l}, l._valid_from, NULL, true
FROM landing AS l
WHERE NOT EXISTS (SELECT 1 FROM late AS a WHERE a.landing_row = l.penstock_row)

-- name: keep_late
DELETE FROM landing AS l WHERE NOT EXISTS (SELECT 1 FROM late AS a WHERE a.landing_row = l.penstock_row)

-- name: count_late
SELECT count(*) FROM late

-- name: drop_unchanged
DELETE FROM landing AS l USING ${target} AS t WHERE ${same_keys} AND ${in_force} AND ${same_content}

-- name: timeline
-- Everything that is known of the keys that change: versions the table has, rows that came, and times at which a key
-- was closed (where a version ends and none begins). Of two versions with one time the later extracted stays.
CREATE TEMP TABLE timeline ON COMMIT DROP AS
WITH existing AS (
    SELECT
        ${named_keys_of_t}, t.ctid AS target_row, t._valid_from AS begins_at, t._valid_to AS ends_at,
        t._extracted_at AS seen_at, ${content_of_t} AS content,
        lead(t._valid_from) OVER (PARTITION BY ${keys_of_t} ORDER BY t._valid_from) AS next_at
    FROM ${target} AS t
    WHERE EXISTS (SELECT 1 FROM landing AS l WHERE ${same_keys})
),
events AS (
    SELECT ${names}, begins_at, 1 AS kind, target_row, NULL::BIGINT AS landing_row, seen_at, content FROM existing
    UNION ALL
    SELECT ${names}, ends_at, 0, NULL, NULL, NULL, NULL FROM existing WHERE ends_at < coalesce(next_at, 'infinity')
    UNION ALL
    SELECT ${keys_of_l}, l._valid_from, 1, NULL, l.penstock_row, l._extracted_at, ${content_of_l} FROM landing AS l
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY ${names}, begins_at, kind ORDER BY seen_at DESC NULLS LAST, landing_row DESC NULLS LAST
        ) AS place
    FROM events
),
compared AS (
    SELECT
        *,
        kind = 1 AND content IS NOT NULL
            AND content IS NOT DISTINCT FROM
            lag(content) OVER (PARTITION BY ${names} ORDER BY begins_at, kind) AS is_repeated
    FROM ranked
    WHERE place = 1
),
ended AS (
    SELECT
        kind, target_row, landing_row, begins_at,
        lead(begins_at) OVER (PARTITION BY ${names} ORDER BY begins_at, kind) AS ends_at
    FROM compared
    WHERE NOT is_repeated
)
SELECT target_row, landing_row, begins_at, ends_at FROM ended WHERE kind = 1

-- name: delete_superseded
DELETE FROM ${target} AS t
WHERE EXISTS (SELECT 1 FROM landing AS l WHERE ${same_keys})
    AND NOT EXISTS (SELECT 1 FROM timeline AS v WHERE v.target_row = t.ctid)

-- name: update_ends
UPDATE ${target} AS t
SET _valid_to = v.ends_at, _is_current = v.ends_at IS NULL
FROM timeline AS v
WHERE v.target_row = t.ctid AND t._valid_to IS DISTINCT FROM v.ends_at

-- name: insert
INSERT INTO ${target} (${columns}, _valid_from, _valid_to, _is_current)
SELECT ${columns_of_l}, v.begins_at, v.ends_at, v.ends_at IS NULL
FROM landing AS l
JOIN timeline AS v ON v.landing_row = l.penstock_row
