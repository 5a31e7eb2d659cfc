-- name: count_duplicates
SELECT count(*) FROM (SELECT 1 FROM landing GROUP BY ${keys} HAVING count(*) > 1) AS d

-- name: drop_duplicates
-- Of several rows with one key the newest stays; of equally new ones the last read.
DELETE FROM landing WHERE penstock_row IN (
    SELECT p.penstock_row
    FROM (
        SELECT penstock_row, row_number() OVER (PARTITION BY ${keys} ORDER BY ${order}penstock_row DESC) AS place
        FROM landing
        WHERE (${keys}) IN (SELECT ${keys} FROM landing GROUP BY ${keys} HAVING count(*) > 1)
    ) AS p
    WHERE p.place > 1
)

-- name: match
CREATE TEMP TABLE matched ON COMMIT DROP AS
SELECT t.ctid AS target_row, l.penstock_row AS landing_row, ${is_newer} AS is_newer
FROM ${target} AS t
JOIN landing AS l ON ${same_keys}

-- name: drop_older
-- Rows that came late: the table has a newer one.
WITH older AS (
    DELETE FROM landing AS l USING matched AS m WHERE m.landing_row = l.penstock_row AND NOT m.is_newer
    RETURNING l.penstock_row
)
DELETE FROM matched AS m USING older AS o WHERE m.landing_row = o.penstock_row

-- name: count_updated
SELECT count(DISTINCT landing_row) FROM matched

-- name: delete_replaced
-- An array makes it read the rows' pages one after the other; for a join, all of the target would be hashed.
DELETE FROM ${target} WHERE ctid = ANY(ARRAY(SELECT target_row FROM matched))

-- name: insert
INSERT INTO ${target} (${columns}) SELECT ${columns} FROM landing
