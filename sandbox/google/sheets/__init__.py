"""Emulated spreadsheets."""
