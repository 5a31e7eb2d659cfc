"""Emulated mailboxes."""
