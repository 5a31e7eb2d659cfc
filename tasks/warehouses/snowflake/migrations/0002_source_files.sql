-- What was at the source: a file may be a part of a larger one there (a member of an archive, a sheet of a workbook).
ALTER TABLE penstock.files ADD COLUMN IF NOT EXISTS source_key VARCHAR;
ALTER TABLE penstock.files ADD COLUMN IF NOT EXISTS source_size_bytes NUMBER(38, 0);
ALTER TABLE penstock.files ADD COLUMN IF NOT EXISTS source_modified_at TIMESTAMP_TZ;
