-- name: keep
INSERT INTO penstock.copy_history
SELECT
    ${batch_id}, h.file_name, h.status, h.row_parsed, h.row_count, h.error_count, h.first_error_message, h.file_size,
    h.last_load_time
FROM TABLE(
    information_schema.copy_history(TABLE_NAME => ${landing}, START_TIME => DATEADD(HOUR, -12, CURRENT_TIMESTAMP()))
) AS h
