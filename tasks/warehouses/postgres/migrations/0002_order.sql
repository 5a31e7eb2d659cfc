-- A value that is written as an ISO 8601 date or time, as an instant; without an offset it is in the session's zone, which
-- a load sets to the interval's. PostgreSQL 15 has no cast that gives NULL for a value that does not fit, and catching its
-- error takes a subtransaction for each row; so what is cast has been checked to its last digit.
CREATE FUNCTION penstock.instant(value TEXT) RETURNS TIMESTAMPTZ
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $function$
DECLARE
    month INTEGER;
    day INTEGER;
BEGIN
    IF value !~ '^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?( ?([Zz]|[+-](0\d|1[0-4])(:?[0-5]\d)?))?)?$' THEN
        RETURN NULL;
    END IF;
    day := substr(value, 9, 2);
    IF day > 28 THEN
        month := substr(value, 6, 2);
        IF day > extract(DAY FROM make_date(substr(value, 1, 4)::INTEGER, month, 1) + INTERVAL '1 month - 1 day') THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN regexp_replace(value, '(\.\d{6})\d+', '\1')::TIMESTAMPTZ;
END
$function$;

-- What order_by compares, the one place that decides it: NULL, then text, then numbers, then instants, so that the order of
-- two values never depends on other rows. Numbers are exact; text is compared by its characters' numbers.
CREATE TYPE penstock.order_value AS (kind INTEGER, instant TIMESTAMPTZ, number NUMERIC, word TEXT COLLATE "C");

CREATE FUNCTION penstock.rank(value TEXT) RETURNS penstock.order_value
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $function$
DECLARE
    no_instant CONSTANT TIMESTAMPTZ := to_timestamp(0);
    moment TIMESTAMPTZ;
BEGIN
    IF value IS NULL THEN
        RETURN ROW(0, no_instant, 0::NUMERIC, ''::TEXT);
    END IF;
    moment := penstock.instant(value);
    IF moment IS NOT NULL THEN
        RETURN ROW(3, moment, 0::NUMERIC, ''::TEXT);
    END IF;
    IF length(value) <= 1000 AND value ~ '^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$' THEN
        RETURN ROW(2, no_instant, value::NUMERIC, ''::TEXT);
    END IF;
    RETURN ROW(1, no_instant, 0::NUMERIC, value);
END
$function$;
