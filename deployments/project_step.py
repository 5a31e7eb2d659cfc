"""The pull step of Penstock's deployments: where a worker finds the project."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.errors import ConfigurationError
from tasks.definitions.project import PLATFORMS_FOLDER, Project, find_project


def enter_project() -> dict[str, str]:
    """Makes the project the working directory of a flow run.

    It is the folder that `PENSTOCK_PROJECT` names, else the one around the working directory, else the checkout that
    this module was installed from (editable, as by `uv sync`). Nothing of the machine that deployed is part of a
    deployment: Prefect's `set_working_directory` would need a path, and fills an unset variable with nothing.

    Returns:
        What Prefect expects of such a step: the `directory` to change into.

    Raises:
        ConfigurationError: none of the three is a project.
    """
    project = _find_project()
    os.chdir(project.root)
    return {"directory": str(project.root)}


def _find_project() -> Project:
    try:
        return find_project()
    except ConfigurationError:
        checkout = Path(__file__).resolve().parents[1]
        if os.environ.get("PENSTOCK_PROJECT") or not (checkout / PLATFORMS_FOLDER).is_dir():
            raise
        return Project(checkout)
