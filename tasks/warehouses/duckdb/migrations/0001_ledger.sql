CREATE TABLE penstock.loads (
    load_number BIGINT NOT NULL,
    batch_id VARCHAR NOT NULL UNIQUE,
    client VARCHAR NOT NULL,
    pipeline VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    target_schema VARCHAR NOT NULL,
    target_table VARCHAR NOT NULL,
    strategy VARCHAR NOT NULL,
    interval_start TIMESTAMPTZ,
    interval_end TIMESTAMPTZ,
    timezone VARCHAR NOT NULL,
    as_of TIMESTAMPTZ NOT NULL,
    run_kind VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
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
    batch_id VARCHAR NOT NULL,
    target_schema VARCHAR NOT NULL,
    target_table VARCHAR NOT NULL,
    source_name VARCHAR NOT NULL,
    source_etag VARCHAR,
    stage_key VARCHAR NOT NULL,
    stage_etag VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    row_count BIGINT,
    loaded_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE penstock.rejects (
    batch_id VARCHAR NOT NULL,
    target_schema VARCHAR NOT NULL,
    target_table VARCHAR NOT NULL,
    source_file VARCHAR NOT NULL,
    line BIGINT,
    reason VARCHAR NOT NULL,
    raw_text VARCHAR,
    rejected_at TIMESTAMPTZ NOT NULL
);

-- What hard deletes leave: a change that arrives late must not bring a deleted row back. The key is a SHA-256 digest, so
-- that nothing of a deleted row stays readable.
CREATE TABLE penstock.tombstones (
    target_schema VARCHAR NOT NULL,
    target_table VARCHAR NOT NULL,
    key_digest VARCHAR NOT NULL,
    order_value VARCHAR NOT NULL,
    extracted_at TIMESTAMPTZ NOT NULL,
    batch_id VARCHAR NOT NULL
);
