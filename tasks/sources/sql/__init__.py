"""SQL databases as sources: the server writes rows as text, which becomes typed Parquet here."""
