-- name: drop_older
-- Changes that came late: the table has a newer one.
DELETE FROM landing AS l USING ${target} AS t WHERE ${same_keys} AND ${is_older}

-- name: count_tombstones
SELECT count(*) FROM penstock.tombstones WHERE ${of_target}

-- name: drop_buried
-- Changes that came late: the row was deleted by a newer one and is gone.
DELETE FROM landing AS l USING penstock.tombstones AS d
WHERE d.key_digest = ${digest} AND ${of_target}
    AND (penstock.rank(l.${order_by}::TEXT), l._extracted_at) < (penstock.rank(d.order_value), d.extracted_at)

-- name: outcome
-- What the changes of each key come to: its last one, the row whose values stay when that is a delete (the last upsert;
-- without one, what the table has, or else the first delete itself), and the table's row.
CREATE TEMP TABLE outcome ON COMMIT DROP AS
WITH events AS (
    SELECT
        ${named_keys_of_l}, l.penstock_row AS landing_row, ${is_deleted} AS is_deleted,
        row_number() OVER (
            PARTITION BY ${keys_of_l} ORDER BY penstock.rank(l.${order_by}::TEXT), l.penstock_row
        ) AS sequence
    FROM landing AS l
),
folded AS (
    SELECT
        ${names},
        (max(ARRAY[sequence, landing_row]))[2] AS last_row,
        (max(ARRAY[sequence, landing_row]) FILTER (WHERE NOT is_deleted))[2] AS last_upsert,
        (min(ARRAY[sequence, landing_row]))[2] AS first_row
    FROM events
    GROUP BY ${names}
),
matched AS (
    SELECT f.last_row, max(t.ctid) AS target_row
    FROM ${target} AS t
    JOIN folded AS f ON ${same_named_keys}
    GROUP BY f.last_row
)
SELECT
    f.last_row, f.last_row IS DISTINCT FROM f.last_upsert AS is_deleted, m.target_row,
    CASE
        WHEN f.last_upsert IS NOT NULL THEN f.last_upsert
        WHEN m.target_row IS NULL THEN f.first_row
    END AS base_row
FROM folded AS f
LEFT JOIN matched AS m ON m.last_row = f.last_row

-- name: count_outcome
SELECT count(*) FROM outcome WHERE ${condition}

-- name: revise
CREATE TEMP TABLE revised ON COMMIT DROP AS
SELECT ${revised}
FROM outcome AS o
JOIN landing AS w ON w.penstock_row = o.last_row
LEFT JOIN landing AS b ON b.penstock_row = o.base_row
LEFT JOIN ${target} AS t ON t.ctid = o.target_row
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
SELECT ${target_schema}, ${target_table}, ${digest}, l.${order_by}::TEXT, l._extracted_at, l._batch_id
FROM outcome AS o
JOIN landing AS l ON l.penstock_row = o.last_row
WHERE o.is_deleted
