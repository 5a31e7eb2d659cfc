"""Where a project's files are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from penstock.errors import ConfigurationError

PLATFORMS_FOLDER = Path("deployments") / "platforms"
CLIENTS_FOLDER = Path("deployments") / "clients"
DEFAULTS_NAME = "_defaults.yaml"
_PROJECT_VARIABLE = "PENSTOCK_PROJECT"
_HOME_VARIABLE = "PENSTOCK_HOME"


class Project(NamedTuple):
    """A folder that holds `deployments/platforms`, and so everything that describes runs. `root` is absolute."""

    root: Path

    @property
    def platforms(self) -> Path:
        """Folder of the platform files."""
        return self.root / PLATFORMS_FOLDER

    @property
    def clients(self) -> Path:
        """Folder of the clients' folders."""
        return self.root / CLIENTS_FOLDER

    def pipeline_paths(self) -> list[Path]:
        """Returns every pipeline file, sorted."""
        return sorted(path for path in self.clients.glob("*/*.yaml") if not path.name.startswith("_"))

    def platform_paths(self) -> list[Path]:
        """Returns every platform file, sorted."""
        return sorted(self.platforms.glob("*.yaml"))

    @property
    def home(self) -> Path:
        """Where local state and caches live: `PENSTOCK_HOME`, relative to the project, or `.penstock` in it."""
        return self.home_in(os.environ)

    def home_in(self, environment: Mapping[str, str]) -> Path:
        """Returns what `home` is in another environment than the process's own."""
        return self.root / (environment.get(_HOME_VARIABLE) or ".penstock")


def find_project(start: Path | None = None) -> Project:
    """Returns the project around a folder (the current one by default), or the one that `PENSTOCK_PROJECT` names.

    Raises:
        ConfigurationError: no folder from there upwards has `deployments/platforms`.
    """
    named = os.environ.get(_PROJECT_VARIABLE)
    if named:
        return _named_project(Path(named))
    begin = (start or Path.cwd()).resolve()
    for folder in (begin, *begin.parents):
        if (folder / PLATFORMS_FOLDER).is_dir():
            return Project(folder)
    raise ConfigurationError(
        "this is not a Penstock project: no folder from here upwards has deployments/platforms",
        guidance=f"Change into a project, or set {_PROJECT_VARIABLE} to its folder.",
        folder=begin,
    )


def _named_project(root: Path) -> Project:
    if not (root / PLATFORMS_FOLDER).is_dir():
        raise ConfigurationError(
            f"{_PROJECT_VARIABLE} does not name a Penstock project: it has no deployments/platforms",
            guidance=f"Set {_PROJECT_VARIABLE} to the project's folder, or unset it inside of the project.",
            folder=root,
        )
    return Project(root.resolve())
