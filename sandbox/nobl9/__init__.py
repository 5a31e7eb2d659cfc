"""Nobl9: one organisation's service level objectives as they stand."""
