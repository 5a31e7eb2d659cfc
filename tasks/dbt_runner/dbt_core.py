"""dbt Core on this machine: each command is a process, whose memory ends with it, and which can be ended."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from penstock.errors import ConfigurationError, TransformError
from penstock.spec import Artifact
from tasks.dbt_runner.contract import DbtSelection, EngineRun
from tasks.dbt_runner.events import DbtError, Event, NodeEnded, read_event
from tasks.dbt_runner.graph import NodeGraph, read_graph_file
from tasks.dbt_runner.results import read_nodes

logger = logging.getLogger("penstock.dbt")
_NO_SALT = "not-shown"
_ARTIFACTS = ("manifest.json", "run_results.json")


class DbtProject(Artifact):
    """Where dbt finds what. `state_dir` keeps target and logs, so that the next command parses only what changed."""

    project_dir: Path
    profiles_dir: Path
    target: str
    state_dir: Path
    threads: int | None = None


class _Command(NamedTuple):
    name: str
    arguments: Sequence[str]


class DbtCore:
    """Runs dbt Core, one command at a time for a state folder.

    Args:
        project: The project and where its state is kept.
        lend: Opens the warehouse for a process of its own; gives the variables that lead dbt's profile to it.
    """

    def __init__(self, project: DbtProject, lend: Callable[[], AbstractContextManager[Mapping[str, str]]]) -> None:
        if not (project.project_dir / "dbt_project.yml").is_file():
            raise ConfigurationError(
                "there is no dbt project",
                guidance="Set dbt.project_dir in the platform file.",
                folder=project.project_dir,
            )
        self._project = project
        self._lend = lend
        self._target = project.state_dir / "target"

    def build(self, selection: DbtSelection, on_event: Callable[[Event], None], *, exactly: bool = False) -> EngineRun:
        """Builds a selection with its tests; see `tasks.dbt_runner.contract`."""
        # Unit tests check the models' logic, not this run's data: they belong to CI.
        arguments = ["--exclude-resource-type", "unit_test", *_selecting(selection)]
        if exactly:
            arguments += ["--indirect-selection", "empty"]
        error = None
        with self._locked():
            (self._target / "run_results.json").unlink(missing_ok=True)
            with self._lend() as environment, self._process(_Command("build", arguments), environment) as process:
                for line in process.stdout or ():
                    event = read_event(line)
                    if event is not None:
                        error = event.text if isinstance(event, DbtError) else error
                        _log(event)
                        on_event(event)
            hidden = [os.environ.get("PENSTOCK_PII_SALT", "")]
            return EngineRun(
                nodes=read_nodes(self._target, hidden=hidden),
                graph=read_graph_file(self._target) if (self._target / "run_results.json").is_file() else None,
                succeeded=process.returncode == 0,
                error=error,
                log=str(self._project.state_dir / "logs" / "dbt.log"),
                artifacts=self._artifacts(),
            )

    def list_nodes(self, selection: DbtSelection) -> tuple[Sequence[str], NodeGraph]:
        """Returns the ids of the nodes that a build of the selection would have, and what depends on what.

        Raises:
            TransformError: dbt could not read the project.
        """
        arguments = ["--exclude-resource-type", "unit_test", "--output", "json", "--output-keys", "unique_id"]
        found, error = [], None
        command = _Command("list", [*arguments, *_selecting(selection)])
        with self._locked(), self._lend() as environment, self._process(command, environment) as process:
            for line in process.stdout or ():
                event = read_event(line)
                error = event.text if isinstance(event, DbtError) else error
                found += _listed(line)
        if process.returncode:
            raise TransformError(
                "dbt could not list what a selection holds", guidance="Run `dbt parse` in the project.", error=error
            )
        return found, read_graph_file(self._target)

    def document(self) -> Path:
        """Writes dbt's documentation, with `static_index.html` in one file, and returns the folder that it lies in.

        dbt's files hold compiled SQL, which anybody may read in the documentation: the salt of hashes is not in it.

        Raises:
            TransformError: dbt could not compile the project or read the warehouse.
        """
        error = None
        command = _Command("docs generate", ["--static"])
        with self._locked(), self._lend() as environment:
            hidden = {**environment, "PENSTOCK_PII_SALT": _NO_SALT}
            with self._process(command, hidden) as process:
                for line in process.stdout or ():
                    event = read_event(line)
                    error = event.text if isinstance(event, DbtError) else error
        if process.returncode:
            raise TransformError(
                "dbt could not document the project", guidance="Run `dbt docs generate` in it.", error=error
            )
        return self._target

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._target.mkdir(parents=True, exist_ok=True)
        with FileLock(self._project.state_dir / "dbt.lock"):
            yield

    @contextmanager
    def _process(self, command: _Command, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
        """Starts dbt; its standard input is only there to close when this process ends (`tasks.dbt_runner.child`)."""
        variables = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", **environment}
        with subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            self._line(command),
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            try:
                yield process
            except BaseException:
                process.terminate()
                raise
            process.wait()

    def _line(self, command: _Command) -> list[str]:
        project = self._project
        options = {
            "--project-dir": project.project_dir,
            "--profiles-dir": project.profiles_dir,
            "--target": project.target,
            "--target-path": self._target,
            "--log-path": project.state_dir / "logs",
            "--log-format": "json",
        }
        line = [sys.executable, "-m", "tasks.dbt_runner.child", *command.name.split()]
        line += [text for name, value in options.items() for text in (name, str(value))]
        if project.threads:
            line += ["--threads", str(project.threads)]
        return [*line, *command.arguments]

    def _artifacts(self) -> dict[str, bytes]:
        files = {name: self._target / name for name in _ARTIFACTS}
        return {name: path.read_bytes() for name, path in files.items() if path.is_file()}


def _selecting(selection: DbtSelection) -> list[str]:
    arguments = ["--select", *selection.select] if selection.select else []
    return [*arguments, "--exclude", *selection.exclude] if selection.exclude else arguments


def _listed(line: str) -> list[str]:
    """Returns the node of a line of `dbt list`, which dbt prints as the message of a log event."""
    try:
        return [str(json.loads(json.loads(line)["data"]["msg"])["unique_id"])]
    except (ValueError, KeyError, TypeError):
        return []


def _log(event: Event) -> None:
    if isinstance(event, DbtError):
        logger.error("%s", event.text)
    elif isinstance(event, NodeEnded) and event.node.resource_type not in {"test", "unit_test"}:
        logger.info("dbt: %s %s in %.1f s", event.node.name, event.node.status, event.node.seconds)
