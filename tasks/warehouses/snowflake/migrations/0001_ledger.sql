CREATE SEQUENCE IF NOT EXISTS penstock.load_number START = 1 INCREMENT = 1 ORDER;

CREATE TABLE IF NOT EXISTS penstock.loads (
    load_number NUMBER(38, 0) NOT NULL,
    batch_id VARCHAR NOT NULL,
    client VARCHAR NOT NULL,
    pipeline VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    target_schema VARCHAR NOT NULL,
    target_table VARCHAR NOT NULL,
    strategy VARCHAR NOT NULL,
    interval_start TIMESTAMP_TZ,
    interval_end TIMESTAMP_TZ,
    timezone VARCHAR NOT NULL,
    as_of TIMESTAMP_TZ NOT NULL,
    run_kind VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    rows_staged NUMBER(38, 0) NOT NULL,
    rows_landed NUMBER(38, 0) NOT NULL,
    rows_rejected NUMBER(38, 0) NOT NULL,
    rows_inserted NUMBER(38, 0) NOT NULL,
    rows_updated NUMBER(38, 0) NOT NULL,
    rows_deleted NUMBER(38, 0) NOT NULL,
    rows_total NUMBER(38, 0),
    size_bytes NUMBER(38, 0) NOT NULL,
    file_count NUMBER(38, 0) NOT NULL,
    extracted_at TIMESTAMP_TZ NOT NULL,
    loaded_at TIMESTAMP_TZ NOT NULL
);

CREATE TABLE IF NOT EXISTS penstock.files (
    batch_id VARCHAR NOT NULL,
    target_schema VARCHAR NOT NULL,
    target_table VARCHAR NOT NULL,
    source_name VARCHAR NOT NULL,
    source_etag VARCHAR,
    stage_key VARCHAR NOT NULL,
    stage_etag VARCHAR NOT NULL,
    size_bytes NUMBER(38, 0) NOT NULL,
    row_count NUMBER(38, 0),
    loaded_at TIMESTAMP_TZ NOT NULL
);

CREATE TABLE IF NOT EXISTS penstock.rejects (
    batch_id VARCHAR NOT NULL,
    target_schema VARCHAR NOT NULL,
    target_table VARCHAR NOT NULL,
    source_file VARCHAR NOT NULL,
    line NUMBER(38, 0),
    reason VARCHAR NOT NULL,
    raw_text VARCHAR,
    rejected_at TIMESTAMP_TZ NOT NULL
);

-- What hard deletes leave: a change that arrives late must not bring a deleted row back. The key is a SHA-256 digest, so
-- that nothing of a deleted row stays readable.
CREATE TABLE IF NOT EXISTS penstock.tombstones (
    target_schema VARCHAR NOT NULL,
    target_table VARCHAR NOT NULL,
    key_digest VARCHAR NOT NULL,
    order_value VARCHAR NOT NULL,
    extracted_at TIMESTAMP_TZ NOT NULL,
    batch_id VARCHAR NOT NULL
);

-- What COPY_HISTORY tells of a load's files; written after the load, and never missed where it is not there.
CREATE TABLE IF NOT EXISTS penstock.copy_history (
    batch_id VARCHAR NOT NULL,
    stage_key VARCHAR NOT NULL,
    status VARCHAR,
    rows_parsed NUMBER(38, 0),
    rows_loaded NUMBER(38, 0),
    errors NUMBER(38, 0),
    first_error VARCHAR,
    size_bytes NUMBER(38, 0),
    copied_at TIMESTAMP_TZ
);
