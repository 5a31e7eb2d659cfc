-- One row for each dbt node of a run's transform, as it ended last.
CREATE TABLE penstock.transforms (
    transform_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    pipeline VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    node_name VARCHAR NOT NULL,
    resource_type VARCHAR NOT NULL,
    relation VARCHAR,
    status VARCHAR NOT NULL,
    attempts BIGINT NOT NULL,
    started_at TIMESTAMPTZ,
    seconds DOUBLE NOT NULL,
    rows_affected BIGINT,
    failures BIGINT,
    message VARCHAR,
    failing_rows_query VARCHAR,
    recorded_at TIMESTAMPTZ NOT NULL
);
