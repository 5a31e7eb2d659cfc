from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from penstock.connections import Connection, kinds_of
from penstock.errors import ConfigurationError
from penstock.sources.registry import SOURCES
from tasks.probing.registry import PROBES
from tasks.sources.registry import EXTRACTORS, extractor


def test_every_kind_that_a_file_may_name_can_be_extracted() -> None:
    assert set(EXTRACTORS) == set(SOURCES)


def test_every_kind_of_connection_can_be_probed() -> None:
    assert set(PROBES) == set(kinds_of(Connection))


@pytest.mark.parametrize("kind", sorted(EXTRACTORS))
def test_an_extractor_takes_a_request_a_connection_and_a_sink(kind: str) -> None:
    parameters = list(inspect.signature(extractor(kind)).parameters.values())
    assert [parameter.name for parameter in parameters[:3]] == ["request", "connection", "sink"]
    assert all(parameter.default is not inspect.Parameter.empty for parameter in parameters[3:])


def test_an_unknown_kind_is_told_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean gladly"):
        extractor("gladdly")


def test_the_registry_loads_no_driver_before_a_kind_is_asked_for() -> None:
    drivers = "{'httpx', 'msgspec', 'tenacity', 'prefect'}"
    code = f"import sys, tasks.sources.registry; print(sorted({drivers} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
