-- One row for each dbt node of a run's transform, as it ended last.
CREATE TABLE IF NOT EXISTS penstock.transforms (
    transform_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    pipeline VARCHAR NOT NULL,
    node_id VARCHAR NOT NULL,
    node_name VARCHAR NOT NULL,
    resource_type VARCHAR NOT NULL,
    relation VARCHAR,
    status VARCHAR NOT NULL,
    attempts NUMBER(38, 0) NOT NULL,
    started_at TIMESTAMP_TZ,
    seconds FLOAT NOT NULL,
    rows_affected NUMBER(38, 0),
    failures NUMBER(38, 0),
    message VARCHAR,
    failing_rows_query VARCHAR,
    recorded_at TIMESTAMP_TZ NOT NULL
);
