-- name: apply
INSERT INTO ${applied} (${columns}, "PENSTOCK$$OUTCOME")
WITH ranked AS (
    SELECT l.*${rank_of_l} FROM ${rows} AS l
),
newest AS (
    -- Of several rows with one key the newest counts; of equally new ones the last read.
    SELECT * FROM ranked QUALIFY row_number() OVER (PARTITION BY ${keys} ORDER BY ${newest_first}) = 1
),
held AS (
    SELECT ${named_keys_of_t}, t._extracted_at${rank_of_t}
    FROM ${target} AS t
    JOIN newest AS l ON ${same_keys}
),
newest_held AS (
    SELECT * FROM held QUALIFY row_number() OVER (PARTITION BY ${names} ORDER BY ${newest_held_first}) = 1
)
SELECT ${columns_of_l}, CASE WHEN h.k0 IS NULL THEN 'insert' ELSE 'update' END
FROM newest AS l
LEFT JOIN newest_held AS h ON ${same_named_keys}
WHERE h.k0 IS NULL OR (${is_newer})
