-- name: touching
${of_targets} AND (
    (interval_start <= ${end} AND interval_end >= ${start})
    OR (interval_start IS NULL AND as_of BETWEEN ${start} AND ${end})
    OR load_number IN (
        SELECT max(load_number) FROM penstock.loads WHERE ${of_targets} GROUP BY target_schema, target_table
        UNION ALL
        SELECT max(load_number)
        FROM penstock.loads
        WHERE ${of_targets} AND strategy = 'full_refresh'
        GROUP BY target_schema, target_table
        UNION ALL
        SELECT max_by(load_number, interval_end)
        FROM penstock.loads
        WHERE ${of_targets} AND run_kind = 'forward' AND interval_end IS NOT NULL
        GROUP BY target_schema, target_table
    )
)

-- name: seen_files
WITH held AS (
    SELECT coalesce(f.source_key, f.source_name) AS source_name, f.source_etag
    FROM penstock.files AS f
    JOIN penstock.loads AS l ON l.batch_id = f.batch_id
    WHERE ${of_target} AND f.source_etag IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY coalesce(f.source_key, f.source_name) ORDER BY l.load_number DESC) = 1
)
SELECT h.source_name, h.source_etag
FROM held AS h
JOIN (VALUES ${candidates}) AS c (source_name, source_etag)
    ON c.source_name = h.source_name AND c.source_etag = h.source_etag
