"""Every kind of source and the function that extracts it, one line each; imported when it is asked for."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import cast

from penstock.errors import ConfigurationError
from tasks.sources.contract import Extract

EXTRACTORS = {
    "gladly": "tasks.sources.gladly.extract",
    "rest": "tasks.sources.rest.extract",
    "s3_files": "tasks.sources.s3_files",
    "sql": "tasks.sources.sql.extract",
}
"""Modules with `extract(request, connection, sink)`, by kind."""


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
