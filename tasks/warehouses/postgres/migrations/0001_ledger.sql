CREATE TABLE penstock.loads (
    load_number BIGINT PRIMARY KEY,
    batch_id TEXT NOT NULL UNIQUE,
    client TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    source TEXT NOT NULL,
    dataset TEXT NOT NULL,
    target_schema TEXT NOT NULL,
    target_table TEXT NOT NULL,
    strategy TEXT NOT NULL,
    interval_start TIMESTAMPTZ,
    interval_end TIMESTAMPTZ,
    timezone TEXT NOT NULL,
    as_of TIMESTAMPTZ NOT NULL,
    run_kind TEXT NOT NULL,
    run_id TEXT NOT NULL,
    rows_staged BIGINT NOT NULL,
    rows_landed BIGINT NOT NULL,
    rows_rejected BIGINT NOT NULL,
    rows_inserted BIGINT NOT NULL,
    rows_updated BIGINT NOT NULL,
    rows_deleted BIGINT NOT NULL,
    rows_total BIGINT,
    size_bytes BIGINT NOT NULL,
    file_count BIGINT NOT NULL,
    extracted_at TIMESTAMPTZ NOT NULL,
    loaded_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE penstock.files (
    batch_id TEXT NOT NULL,
    target_schema TEXT NOT NULL,
    target_table TEXT NOT NULL,
    source_name TEXT NOT NULL,
    source_etag TEXT,
    stage_key TEXT NOT NULL,
    stage_etag TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    row_count BIGINT,
    loaded_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE penstock.rejects (
    batch_id TEXT NOT NULL,
    target_schema TEXT NOT NULL,
    target_table TEXT NOT NULL,
    source_file TEXT NOT NULL,
    line BIGINT,
    reason TEXT NOT NULL,
    raw_text TEXT,
    rejected_at TIMESTAMPTZ NOT NULL
);

-- What hard deletes leave: a change that arrives late must not bring a deleted row back. The key is a SHA-256 digest, so
-- that nothing of a deleted row stays readable.
CREATE TABLE penstock.tombstones (
    target_schema TEXT NOT NULL,
    target_table TEXT NOT NULL,
    key_digest TEXT NOT NULL,
    order_value TEXT NOT NULL,
    extracted_at TIMESTAMPTZ NOT NULL,
    batch_id TEXT NOT NULL
);

CREATE INDEX loads_of_target ON penstock.loads (target_schema, target_table, interval_end);
CREATE INDEX files_of_target ON penstock.files (target_schema, target_table, source_name);
CREATE INDEX rejects_of_batch ON penstock.rejects (batch_id);
CREATE INDEX tombstones_of_key ON penstock.tombstones (target_schema, target_table, key_digest);
