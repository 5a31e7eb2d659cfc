-- name: apply
-- What the changes of each key come to: its last one, and the row whose values stay when that is a delete (the last
-- upsert; without one, what the table has, or else the first delete itself).
INSERT INTO ${applied} (${columns}, "PENSTOCK$$OUTCOME", "PENSTOCK$$ORDER")
WITH ranked AS (
    SELECT l.*${rank_of_l}, ${digest_of_l} AS "PENSTOCK$$DIGEST" FROM ${rows} AS l
),
held AS (
    SELECT ${named_keys_of_t}, t.*${rank_of_t}
    FROM ${target} AS t
    JOIN (SELECT DISTINCT ${keys} FROM ranked) AS l ON ${same_keys}
    QUALIFY row_number() OVER (PARTITION BY ${names} ORDER BY ${newest_held_first}) = 1
),
buried AS (
    SELECT d.key_digest, d.extracted_at AS _extracted_at${rank_of_d}
    FROM penstock.tombstones AS d
    WHERE ${of_target}
    QUALIFY row_number() OVER (PARTITION BY key_digest ORDER BY ${newest_held_first}) = 1
),
-- Changes that came late are passed over: the table has a newer one, or a newer one deleted the row.
live AS (
    SELECT l.*
    FROM ranked AS l
    LEFT JOIN held AS h ON ${same_named_keys}
    LEFT JOIN buried AS d ON d.key_digest = l."PENSTOCK$$DIGEST"
    WHERE (h.k0 IS NULL OR (${is_newer_than_h})) AND (d.key_digest IS NULL OR (${is_newer_than_d}))
),
placed AS (
    SELECT
        l.*,
        row_number() OVER (PARTITION BY ${keys} ORDER BY ${last_first}) AS "PENSTOCK$$FROM_END",
        row_number() OVER (PARTITION BY ${keys} ORDER BY ${first_first}) AS "PENSTOCK$$FROM_START",
        row_number() OVER (PARTITION BY ${keys}, _is_deleted ORDER BY ${last_first}) AS "PENSTOCK$$OF_KIND"
    FROM live AS l
)
SELECT
    ${revised},
    CASE
        WHEN l._is_deleted AND h.k0 IS NULL THEN 'bury'
        WHEN l._is_deleted THEN 'delete'
        WHEN h.k0 IS NULL THEN 'insert'
        ELSE 'update'
    END,
    CAST(l.${order_by} AS VARCHAR)
FROM placed AS l
LEFT JOIN placed AS u ON ${same_keys_of_u} AND NOT u._is_deleted AND u."PENSTOCK$$OF_KIND" = 1
LEFT JOIN placed AS f ON ${same_keys_of_f} AND f."PENSTOCK$$FROM_START" = 1
LEFT JOIN held AS h ON ${same_named_keys}
WHERE l."PENSTOCK$$FROM_END" = 1

-- name: forget_tombstones
DELETE FROM penstock.tombstones
WHERE ${of_target_only} AND key_digest IN (SELECT ${digest_of_a} FROM ${applied} AS a)

-- name: write_tombstones
INSERT INTO penstock.tombstones
SELECT ${target_schema}, ${target_table}, ${digest_of_a}, a."PENSTOCK$$ORDER", a._extracted_at, a._batch_id
FROM ${applied} AS a
WHERE a."PENSTOCK$$OUTCOME" IN ('delete', 'bury')
