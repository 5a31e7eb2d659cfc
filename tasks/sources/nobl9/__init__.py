"""Nobl9: service level objectives as they stand."""
