"""SQL databases as sources: the server writes rows as CSV text, which becomes typed Parquet here."""
