"""Writes the compiled prefect.yaml, or shows how it differs from what the files say."""

from __future__ import annotations

import difflib
from pathlib import Path

from deployments.catalog import load_catalog
from deployments.compile import compile_prefect_yaml
from tasks.definitions.project import Project


def write_file(project: Project, platform: str, path: Path) -> int:
    """Compiles a project into a file, and returns how many deployments it holds.

    Raises:
        ConfigurationError: a file of the project cannot be used, or the platform has no work pool.
    """
    catalog = load_catalog(project)
    path.write_text(compile_prefect_yaml(catalog, catalog.platform(platform)), encoding="utf-8")
    return len(catalog.pipelines)


def check_file(project: Project, platform: str, path: Path) -> str:
    """Returns the difference from a file to what the project compiles to; empty where there is none."""
    catalog = load_catalog(project)
    expected = compile_prefect_yaml(catalog, catalog.platform(platform))
    actual = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(
        actual.splitlines(keepends=True), expected.splitlines(keepends=True), f"{path.name} (as it is)", "compiled"
    )
    return "".join(lines)
