-- name: count_open
SELECT count(*) FROM ${target} WHERE _is_current

-- name: close_absent
UPDATE ${target} AS t
SET _valid_to = ${extracted_at}, _is_current = FALSE
WHERE t._is_current AND t._valid_from < ${extracted_at}
    AND NOT EXISTS (SELECT 1 FROM ${rows} AS l WHERE ${same_keys})

-- name: apply
-- All versions of the keys that change: those the table has, rows that came, and times at which a key was closed (where
-- a version ends and none begins). Of two versions with one time the later extracted stays.
INSERT INTO ${applied} (${columns}, _valid_from, _valid_to, _is_current, "PENSTOCK$$OUTCOME")
WITH batch AS (
    -- Of several rows with one key and one time the last read stays.
    SELECT l.*
    FROM ${rows} AS l
    QUALIFY row_number() OVER (
        PARTITION BY ${keys}, _valid_from ORDER BY "PENSTOCK$$FILE_NUMBER" DESC, "PENSTOCK$$ROW" DESC
    ) = 1
),
closed AS (
    SELECT ${named_keys_of_t}, max(t._valid_to) AS closed_at
    FROM ${target} AS t
    JOIN (SELECT DISTINCT ${keys} FROM batch) AS l ON ${same_keys}
    GROUP BY ${keys_of_t}
    HAVING max(CASE WHEN t._is_current THEN 1 ELSE 0 END) = 0
),
timed AS (
    -- A key that was closed and is there again, unchanged or not: its newest row holds from this extraction on.
    SELECT
        l.*,
        CASE
            WHEN ${reopens} AND l._valid_from <= c.closed_at AND l._extracted_at > c.closed_at
                AND row_number() OVER (PARTITION BY ${keys_of_l} ORDER BY l._valid_from DESC) = 1
            THEN l._extracted_at
            ELSE l._valid_from
        END AS begins_at
    FROM batch AS l
    LEFT JOIN closed AS c ON ${same_keys_of_c}
),
fresh AS (
    SELECT l.*
    FROM timed AS l
    LEFT JOIN ${target} AS t ON ${same_keys} AND ${in_force} AND ${same_content}
    WHERE t.${first_key} IS NULL
),
known AS (
    SELECT t.*, lead(t._valid_from) OVER (PARTITION BY ${keys_of_t} ORDER BY t._valid_from) AS next_at
    FROM ${target} AS t
    JOIN (SELECT DISTINCT ${keys} FROM fresh) AS l ON ${same_keys}
),
events AS (
    SELECT
        ${columns_of_t}, t._valid_from AS begins_at, t._valid_to AS ended_at, 1 AS kind, 0 AS is_new,
        t._extracted_at AS seen_at, ${content_of_t} AS content
    FROM known AS t
    UNION ALL
    SELECT ${closing_columns}, t._valid_to, NULL, 0, 0, NULL, NULL
    FROM known AS t
    WHERE t._valid_to < COALESCE(t.next_at, '9999-12-31 00:00:00+00:00'::TIMESTAMP_TZ)
    UNION ALL
    SELECT ${columns_of_l}, l.begins_at, NULL, 1, 1, l._extracted_at, ${content_of_l}
    FROM fresh AS l
),
ranked AS (
    SELECT *
    FROM events
    QUALIFY row_number() OVER (
        PARTITION BY ${keys}, begins_at, kind ORDER BY seen_at DESC NULLS LAST, is_new DESC
    ) = 1
),
compared AS (
    SELECT
        *,
        lag(content) OVER (PARTITION BY ${keys} ORDER BY begins_at, kind) AS content_before
    FROM ranked
),
ended AS (
    SELECT *, lead(begins_at) OVER (PARTITION BY ${keys} ORDER BY begins_at, kind) AS ends_at
    FROM compared
    WHERE NOT (kind = 1 AND content IS NOT NULL AND COALESCE(content = content_before, FALSE))
)
SELECT
    ${columns}, begins_at, ends_at, ends_at IS NULL,
    CASE WHEN is_new = 1 THEN 'insert' WHEN ended_at IS NOT DISTINCT FROM ends_at THEN 'same' ELSE 'update' END
FROM ended
WHERE kind = 1
