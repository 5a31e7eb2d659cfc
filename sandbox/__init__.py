"""Emulations of the source APIs over generated data, and the pytest plugin that gives them to users."""
