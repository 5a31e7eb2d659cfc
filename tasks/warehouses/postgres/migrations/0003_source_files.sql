-- What was at the source: a file may be a part of a larger one there (a member of an archive, a sheet of a workbook).
ALTER TABLE penstock.files
    ADD COLUMN source_key TEXT,
    ADD COLUMN source_size_bytes BIGINT,
    ADD COLUMN source_modified_at TIMESTAMPTZ;

DROP INDEX penstock.files_of_target;
CREATE INDEX files_of_target ON penstock.files (target_schema, target_table, (coalesce(source_key, source_name)));
