"""Every kind of source and the function that extracts it, one line each; imported when it is asked for."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import cast

from penstock.errors import ConfigurationError
from tasks.sources.contract import Count, Extract

EXTRACTORS = {
    "anthropic": "tasks.sources.declared",
    "copilot": "tasks.sources.declared",
    "cursor": "tasks.sources.declared",
    "datadog_slo": "tasks.sources.datadog_slo.extract",
    "gladly": "tasks.sources.gladly.extract",
    "gmail": "tasks.sources.gmail.extract",
    "google_sheets": "tasks.sources.google_sheets.extract",
    "incident_io": "tasks.sources.incident_io.extract",
    "litellm": "tasks.sources.declared",
    "nobl9": "tasks.sources.nobl9.extract",
    "openai": "tasks.sources.declared",
    "rest": "tasks.sources.rest.extract",
    "s3_files": "tasks.sources.s3_files.extract",
    "sourcegraph": "tasks.sources.declared",
    "sprout_social": "tasks.sources.sprout_social.extract",
    "sql": "tasks.sources.sql.extract",
    "windsurf": "tasks.sources.declared",
}
"""Modules with `extract(request, connection, sink)`, by kind."""

COUNTERS = {
    "s3_files": "tasks.sources.s3_files.extract",
}
"""Modules with `count_files(request, connection, enough)`, by kind, for datasets that wait for files."""


def counter(kind: str) -> Count:
    """Returns the function that counts the files that an extraction of a kind of source would read now."""
    return cast("Count", import_module(COUNTERS[kind]).count_files)


def extractor(kind: str) -> Extract:
    """Returns the function that extracts a kind of source.

    Raises:
        ConfigurationError: There is no such kind.
    """
    if kind not in EXTRACTORS:
        nearest = difflib.get_close_matches(kind, EXTRACTORS, n=1)
        raise ConfigurationError(
            "there is no such kind of source",
            guidance=f"Did you mean {nearest[0]}?" if nearest else f"There are: {', '.join(sorted(EXTRACTORS))}.",
            kind=kind,
        )
    return cast("Extract", import_module(EXTRACTORS[kind]).extract)
