"""Where a client's flow is: one module and one function, both named after the client."""

from __future__ import annotations

import keyword
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from penstock.spec import snake

FLOWS_FOLDER = Path("flows") / "clients"


def flow_name(client: str) -> str:
    """Returns the name of a client's flow function and module."""
    name = snake(client)
    return f"_{name}" if name[0].isdigit() or keyword.iskeyword(name) else name


def flow_path(client: str) -> Path:
    """Returns the module's path, relative to the project."""
    return FLOWS_FOLDER / f"{flow_name(client)}.py"


def flow_entrypoint(client: str) -> str:
    """Returns what a Prefect deployment names: `<path>:<function>`."""
    return f"{flow_path(client).as_posix()}:{flow_name(client)}"


@cache
def shadows_module(client: str) -> bool:
    """Tells whether the client's module would hide another one.

    Prefect puts an entrypoint's folder first on `sys.path`: `flows/clients/dbt.py` would be what `import dbt` finds.
    """
    name = flow_name(client)
    if name in sys.stdlib_module_names:
        return True
    spec = find_spec(name)
    return spec is not None and FLOWS_FOLDER.as_posix() not in Path(spec.origin or "").as_posix()
