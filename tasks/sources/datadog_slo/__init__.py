"""Datadog: service level objectives, their history, status and corrections."""
