-- name: count_duplicates
SELECT count(*) FROM (SELECT 1 FROM landing GROUP BY ${keys} HAVING count(*) > 1)

-- name: drop_duplicates
-- Of several rows with one key the newest stays; of equally new ones the last read.
DELETE FROM landing WHERE rowid IN (
    SELECT landing_row
    FROM (
        SELECT rowid AS landing_row, row_number() OVER (PARTITION BY ${keys} ORDER BY ${order}rowid DESC) AS place
        FROM landing
        WHERE (${keys}) IN (SELECT ${keys} FROM landing GROUP BY ${keys} HAVING count(*) > 1)
    )
    WHERE place > 1
)

-- name: match
CREATE OR REPLACE TEMP TABLE matched AS
SELECT t.rowid AS target_row, l.rowid AS landing_row, ${is_newer} AS is_newer
FROM ${target} AS t
JOIN landing AS l ON ${same_keys}

-- name: drop_older
-- Rows that came late: the table has a newer one.
DELETE FROM landing WHERE rowid IN (SELECT landing_row FROM matched WHERE NOT is_newer)

-- name: count_updated
SELECT count(DISTINCT m.landing_row) FROM matched AS m SEMI JOIN landing AS l ON l.rowid = m.landing_row

-- name: delete_replaced
DELETE FROM ${target} WHERE rowid IN (
    SELECT m.target_row FROM matched AS m SEMI JOIN landing AS l ON l.rowid = m.landing_row
)

-- name: insert
INSERT INTO ${target} (${columns}) SELECT ${columns} FROM landing
