-- What was at the source: a file may be a part of a larger one there (a member of an archive, a sheet of a workbook).
ALTER TABLE penstock.files ADD COLUMN source_key VARCHAR;
ALTER TABLE penstock.files ADD COLUMN source_size_bytes BIGINT;
ALTER TABLE penstock.files ADD COLUMN source_modified_at TIMESTAMPTZ;
