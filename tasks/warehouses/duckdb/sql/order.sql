-- name: instant
-- A value that is written as an ISO 8601 date or time, as an instant; without an offset it is in the session's zone,
-- which a load sets to the interval's.
CREATE OR REPLACE TEMP MACRO penstock_instant(value) AS
    CASE
        WHEN regexp_matches(CAST(value AS VARCHAR), '^\d{4}-\d{2}-\d{2}([T ]|$$)')
        THEN try_cast(CAST(value AS VARCHAR) AS TIMESTAMPTZ)
    END

-- name: rank
-- What order_by compares, the one place that decides it: NULL, then text, then numbers, then instants, so that the order
-- of two values never depends on other rows. Numbers that doubles cannot tell apart are compared as decimals.
CREATE OR REPLACE TEMP MACRO penstock_rank(value) AS
    CASE
        WHEN value IS NULL
        THEN {'kind': 0, 'number': 0::DOUBLE, 'decimal': 0::DECIMAL(38, 9), 'instant': to_timestamp(0), 'text': ''}
        WHEN penstock_instant(value) IS NOT NULL
        THEN {
            'kind': 3, 'number': 0::DOUBLE, 'decimal': 0::DECIMAL(38, 9), 'instant': penstock_instant(value),
            'text': ''
        }
        WHEN regexp_full_match(CAST(value AS VARCHAR), '[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?')
        THEN {
            'kind': 2, 'number': try_cast(CAST(value AS VARCHAR) AS DOUBLE),
            'decimal': coalesce(try_cast(CAST(value AS VARCHAR) AS DECIMAL(38, 9)), 0), 'instant': to_timestamp(0), 'text': ''
        }
        ELSE {
            'kind': 1, 'number': 0::DOUBLE, 'decimal': 0::DECIMAL(38, 9), 'instant': to_timestamp(0),
            'text': CAST(value AS VARCHAR)
        }
    END
