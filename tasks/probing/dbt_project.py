"""Whether the dbt project and its profile are there, and the adapter that the target needs; runs no dbt."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from penstock.errors import ConfigurationError
from penstock.findings import nearest
from penstock.platform import DbtTarget
from tasks.probing.contract import Seen


def probe_dbt(dbt: DbtTarget) -> Seen:
    """Looks for the project, the profile, the target and its adapter.

    Raises:
        ConfigurationError: one of them is missing.
    """
    project = _read(dbt.project_dir / "dbt_project.yml", "`project_dir` under `dbt` leads to the dbt project's folder.")
    profiles = _read(dbt.profiles_dir / "profiles.yml", "`profiles_dir` under `dbt` leads to the folder that has it.")
    profile = _choose(profiles, project.get("profile"), "the dbt project's profile is not in profiles.yml")
    targets = profile.get("outputs") or {}
    target = _choose(targets, dbt.target, "the dbt profile has no such target")
    adapter = str(target.get("type"))
    if find_spec(f"dbt.adapters.{adapter}") is None:
        raise ConfigurationError(
            "the target's dbt adapter is not installed", guidance=f"Install dbt-{adapter}.", adapter=adapter
        )
    return Seen(f"target {dbt.target} on {adapter}")


def _choose(known: dict[str, Any], name: Any, message: str) -> dict[str, Any]:
    if name in known and isinstance(known[name], dict):
        found: dict[str, Any] = known[name]
        return found
    close = nearest(str(name), known)
    raise ConfigurationError(
        message, guidance=f"Did you mean {close}?" if close else f"There are: {', '.join(known) or 'none'}.", name=name
    )


def _read(path: Path, guidance: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError("a file of dbt cannot be read", guidance=guidance, path=str(path)) from error
    except yaml.YAMLError as error:
        raise ConfigurationError("a file of dbt is not YAML", guidance="Correct it.", path=str(path)) from error
    return found if isinstance(found, dict) else {}
