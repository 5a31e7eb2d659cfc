"""Files that already exist in an object store, or on an SFTP server."""
