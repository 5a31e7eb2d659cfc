"""Rules of the layout that nothing else would notice until a run on a worker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OWN = {"penstock", "blocks", "tasks", "flows", "deployments", "sandbox"}


def test_no_flow_module_hides_an_installed_or_a_standard_one() -> None:
    """Prefect puts an entrypoint's folder first on sys.path: flows/dbt.py would be what `import dbt` finds."""
    taken = set(packages_distributions()) | set(sys.stdlib_module_names) | OWN
    stems = {path.stem for path in (ROOT / "flows").rglob("*.py")} - {"__init__"}
    assert stems & taken == set()


def test_no_tests_folder_is_a_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def deployments() -> list[dict[str, object]]:
    return list(yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"])


@pytest.mark.parametrize("deployment", deployments(), ids=lambda deployment: str(deployment["name"]))
def test_every_deployments_flow_loads_in_a_fresh_process_and_takes_its_parameters(
    deployment: dict[str, object],
) -> None:
    script = (
        "import json, sys\n"
        "from prefect.flows import load_flow_from_entrypoint\n"
        "from prefect.utilities.callables import parameter_schema\n"
        "from prefect.utilities.schema_tools import validate\n"
        "flow = load_flow_from_entrypoint(sys.argv[1], use_placeholder_flow=False)\n"
        "parameters = json.loads(sys.argv[2])\n"
        "flow.validate_parameters(parameters)\n"
        "validate(parameters, parameter_schema(flow.fn).model_dump_for_openapi(), raise_on_error=True)\n"
        "print(flow.name)\n"
    )
    arguments = [str(deployment["entrypoint"]), json.dumps(deployment["parameters"])]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nothing_names_a_folder_of_somebodys_machine() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pattern = re.compile(r"(?<![\w.}>-])/(root|home/\w+|Users/\w+)/")
    found = [
        f"{name}: {match.group()}"
        for name in tracked
        for match in pattern.finditer((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
