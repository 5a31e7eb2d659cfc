"""Writes what pipeline files compile to, prefect.yaml and dbt's sources, or shows how the files differ from it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from deployments.catalog import Catalog, load_catalog
from deployments.compile import compile_prefect_yaml
from deployments.dbt_sources import GENERATED_GLOBS, dbt_files
from deployments.generated_files import GeneratedFiles, generated_files, unified_difference
from penstock.platform import PlatformSpec
from tasks.definitions.project import Project


class Written(NamedTuple):
    """What compiling wrote: how many deployments, and which files of dbt it changed or removed."""

    deployments: int
    dbt_paths: tuple[Path, ...]


def write_files(project: Project, platform: str, path: Path) -> Written:
    """Compiles a project into a file of deployments and the sources of its dbt project, where it has one.

    Raises:
        ConfigurationError: a file of the project cannot be used, the platform has no work pool, or a file that a person
            wrote is in the place of a generated one.
    """
    catalog = load_catalog(project)
    chosen = catalog.platform(platform)
    text = compile_prefect_yaml(catalog, chosen)
    dbt_paths = _for_dbt(catalog, chosen).write()
    path.write_text(text, encoding="utf-8")
    return Written(len(catalog.pipelines), tuple(dbt_paths))


def check_files(project: Project, platform: str, path: Path) -> str:
    """Returns the differences from a file and dbt's sources to what the project compiles to; empty without any."""
    catalog = load_catalog(project)
    chosen = catalog.platform(platform)
    deployments = unified_difference(path, compile_prefect_yaml(catalog, chosen), Path(path.name))
    return deployments + _for_dbt(catalog, chosen).difference(project.root)


def _for_dbt(catalog: Catalog, platform: PlatformSpec) -> GeneratedFiles:
    root = catalog.project.root / platform.dbt.project_dir
    if not (root / "dbt_project.yml").is_file():
        return GeneratedFiles({}, ())
    return generated_files(root, dbt_files(catalog.pipelines, catalog.platforms.values()), GENERATED_GLOBS)
