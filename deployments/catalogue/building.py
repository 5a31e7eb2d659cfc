"""Writes the catalogue: a folder of static pages that need nothing else, to be served by anything."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from deployments.catalog import Catalog
from deployments.catalogue.reading import (
    ModelEntry,
    PipelineEntry,
    in_words,
    model_entries,
    pipeline_entries,
    read_dbt_files,
)
from deployments.ledger_status import dataset_statuses
from deployments.running import lent_warehouse
from penstock.errors import ConfigurationError
from penstock.platform import PlatformSpec
from tasks.dbt_runner.dbt_core import DbtCore, DbtProject

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_MARKER = ".penstock-catalogue"
_GAPS_SHOWN = 5


class Contents(NamedTuple):
    """What the pages say, apart from dbt's own."""

    platform: str
    now: datetime
    pipelines: list[PipelineEntry]
    models: list[ModelEntry]


def build_catalogue(catalog: Catalog, platform: PlatformSpec, folder: Path) -> Contents:
    """Writes the catalogue of a project on a platform, and returns what it says.

    It holds names, descriptions, counts, times and SQL; no row, no setting of a connection, and no salt.

    Args:
        catalog: The project's pipelines.
        platform: The platform that `PENSTOCK_PLATFORM` names, with its environment.
        folder: Where to write; what an earlier catalogue left there is replaced.

    Raises:
        ConfigurationError: the folder holds something else, or the project has no dbt project.
        TransformError: dbt could not document its project.
    """
    _require_ours(folder)
    project = DbtProject(
        project_dir=platform.dbt.project_dir,
        profiles_dir=platform.dbt.profiles_dir,
        target=platform.dbt.target,
        # Not the one of runs: dbt parses anew where its variables differ.
        state_dir=platform.home / "dbt" / platform.platform / "_catalogue",
        threads=platform.dbt.threads,
    )
    target = DbtCore(project, lambda: lent_warehouse(catalog.project)).document()
    dbt, now = read_dbt_files(target), datetime.now(UTC)
    statuses = dataset_statuses(catalog.project, catalog.pipelines)
    entries = pipeline_entries(catalog.pipelines, statuses, dbt, now)
    contents = Contents(platform.platform, now, entries, model_entries(dbt))
    write_pages(contents, target / "static_index.html", folder)
    return contents


def write_pages(contents: Contents, dbt_page: Path, folder: Path) -> None:
    """Writes the pages in place of an earlier catalogue's.

    Raises:
        ConfigurationError: the folder holds something else.
    """
    _require_ours(folder)
    shutil.rmtree(folder / "models", ignore_errors=True)
    (folder / "models").mkdir(parents=True)
    (folder / _MARKER).touch()
    shutil.copyfile(dbt_page, folder / "dbt.html")
    pages = _environment()
    names = frozenset(model.name for model in contents.models)
    shared: dict[str, Any] = {
        **contents._asdict(),
        "model_names": names,
        "gaps_shown": _GAPS_SHOWN,
        "has_lineage": find_spec("sqlglot") is not None,
    }
    texts = {
        Path(f"{page}.html"): pages.get_template(f"{page}.html").render(root="", title=title, **shared)
        for page, title in (("index", "Pipelines"), ("models", "Models"))
    }
    template = pages.get_template("model.html")
    for model in contents.models:
        page = template.render(root="../", title=model.name, model=model, **shared)
        texts[Path("models") / f"{model.name}.html"] = page
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")


def _require_ours(folder: Path) -> None:
    if folder.exists() and not (folder / _MARKER).is_file() and _holds(folder.iterdir()):
        raise ConfigurationError(
            "the folder holds something else than a catalogue",
            guidance="Name an empty or a new one: what is in it would be replaced.",
            folder=folder,
        )


def _holds(paths: Iterable[Path]) -> bool:
    return next(iter(paths), None) is not None


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("deployments", "templates/catalogue"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["moment"] = _moment
    environment.filters["span"] = in_words
    environment.filters["prose"] = _prose
    return environment


def _prose(text: str) -> Markup:
    """Returns a description with what stands in backquotes as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _moment(time: datetime | None) -> str:
    return "" if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"
