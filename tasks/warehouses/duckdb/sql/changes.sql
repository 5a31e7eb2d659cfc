-- name: drop_older
-- Changes that came late: the table has a newer one.
DELETE FROM landing WHERE rowid IN (
    SELECT l.rowid
    FROM ${target} AS t
    JOIN landing AS l ON ${same_keys}
    WHERE ${is_older}
)

-- name: count_tombstones
SELECT count(*) FROM penstock.tombstones WHERE ${of_target}

-- name: drop_buried
-- Changes that came late: the row was deleted by a newer one and is gone.
DELETE FROM landing WHERE rowid IN (
    SELECT l.rowid
    FROM penstock.tombstones AS d
    JOIN landing AS l ON d.key_digest = ${digest}
    WHERE ${of_target}
        AND (penstock_rank(l.${order_by}), l._extracted_at) < (penstock_rank(d.order_value), d.extracted_at)
)

-- name: outcome
-- What the changes of each key come to: its last one, the row whose values stay when that is a delete (the last upsert;
-- without one, what the table has, or else the first delete itself), and the table's row.
CREATE OR REPLACE TEMP TABLE outcome AS
WITH events AS (
    SELECT
        ${named_keys_of_l}, l.rowid AS landing_row, l._is_deleted,
        row_number() OVER (ORDER BY penstock_rank(l.${order_by}), l.rowid) AS sequence
    FROM landing AS l
),
folded AS (
    SELECT
        ${names},
        arg_max(landing_row, sequence) AS last_row,
        arg_max(_is_deleted, sequence) AS is_deleted,
        arg_max(landing_row, sequence) FILTER (NOT _is_deleted) AS last_upsert,
        arg_min(landing_row, sequence) AS first_row
    FROM events
    GROUP BY ${names}
),
matched AS (
    SELECT f.last_row, max(t.rowid) AS target_row
    FROM ${target} AS t
    JOIN folded AS f ON ${same_named_keys}
    GROUP BY f.last_row
)
SELECT
    f.last_row, f.is_deleted, m.target_row,
    CASE
        WHEN NOT f.is_deleted THEN f.last_row
        WHEN f.last_upsert IS NOT NULL THEN f.last_upsert
        WHEN m.target_row IS NULL THEN f.first_row
    END AS base_row
FROM folded AS f
LEFT JOIN matched AS m ON m.last_row = f.last_row

-- name: count_outcome
SELECT count(*) FROM outcome WHERE ${condition}

-- name: revise
CREATE OR REPLACE TEMP TABLE revised AS
SELECT ${revised}
FROM outcome AS o
JOIN landing AS w ON w.rowid = o.last_row
LEFT JOIN landing AS b ON b.rowid = o.base_row
LEFT JOIN ${target} AS t ON t.rowid = o.target_row
WHERE ${kept}

-- name: delete_changed
DELETE FROM ${target} AS t USING landing AS l WHERE ${same_keys}

-- name: insert
INSERT INTO ${target} (${columns}) SELECT ${columns} FROM revised

-- name: forget_tombstones
DELETE FROM penstock.tombstones
WHERE ${of_target} AND key_digest IN (SELECT ${digest} FROM landing AS l)

-- name: write_tombstones
INSERT INTO penstock.tombstones
SELECT ${target_schema}, ${target_table}, ${digest}, CAST(l.${order_by} AS VARCHAR), l._extracted_at, l._batch_id
FROM outcome AS o
JOIN landing AS l ON l.rowid = o.last_row
WHERE o.is_deleted
