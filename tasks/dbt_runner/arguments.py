"""A selection as arguments of dbt, the same for every engine."""

from __future__ import annotations

from tasks.dbt_runner.contract import DbtSelection


def listing_arguments(selection: DbtSelection) -> list[str]:
    """Returns what selects the nodes of a build; unit tests check the models' logic, not this run's data."""
    arguments = ["--exclude-resource-type", "unit_test"]
    arguments += ["--select", *selection.select] if selection.select else []
    return [*arguments, "--exclude", *selection.exclude] if selection.exclude else arguments


def build_arguments(selection: DbtSelection, *, exactly: bool) -> list[str]:
    """Returns the arguments of `dbt build`.

    Args:
        selection: What to build.
        exactly: Without the tests that the selection would bring along.
    """
    return [*listing_arguments(selection), *(["--indirect-selection", "empty"] if exactly else [])]
