"""Reads files from SFTP servers."""
