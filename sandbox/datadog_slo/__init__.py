"""Datadog's service level objectives: definitions, history, status and corrections of one organisation."""
