-- One row for each dbt node of a run's transform, as it ended last.
CREATE TABLE penstock.transforms (
    transform_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    client TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    node_id TEXT NOT NULL,
    node_name TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    relation TEXT,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    started_at TIMESTAMPTZ,
    seconds DOUBLE PRECISION NOT NULL,
    rows_affected BIGINT,
    failures BIGINT,
    message TEXT,
    failing_rows_query TEXT,
    recorded_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX transforms_of_run ON penstock.transforms (run_id);
