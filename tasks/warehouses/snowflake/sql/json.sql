-- name: keys
SELECT DISTINCT k.key
FROM ${lines} AS l, LATERAL FLATTEN(INPUT => TRY_PARSE_JSON(l.line, 'd')) AS k
WHERE ${is_object}

-- name: first_line
SELECT l.line
FROM ${lines} AS l
JOIN (VALUES ${files}) AS f (path, number) ON f.path = l."PENSTOCK$$FILE"
WHERE ${is_object}
ORDER BY f.number, l."PENSTOCK$$ROW"
LIMIT 1

-- name: bad_lines
SELECT
    l."PENSTOCK$$FILE" AS path, l."PENSTOCK$$ROW" AS line_number,
    CASE WHEN TRY_PARSE_JSON(l.line, 'd') IS NULL THEN 'not valid JSON' ELSE 'not a JSON object' END AS reason, l.line
FROM ${lines} AS l
JOIN (VALUES ${files}) AS f (path, number) ON f.path = l."PENSTOCK$$FILE"
WHERE ${is_filled} AND NOT (${is_object})
ORDER BY f.number, l."PENSTOCK$$ROW"

-- name: count_filled
SELECT count(*) FROM ${lines} AS l WHERE ${is_filled}

-- name: land
INSERT INTO ${landing} (${columns})
SELECT ${values}
FROM (
    SELECT TRY_PARSE_JSON(${marked}, 'd') AS v, l."PENSTOCK$$FILE", l."PENSTOCK$$ROW"
    FROM ${lines} AS l
    WHERE ${is_object}
) AS j
