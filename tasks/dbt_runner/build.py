"""Runs `dbt build` for a selection, as a process of its own: its memory ends with it, and it can be ended."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from penstock.errors import ConfigurationError, TransformError
from penstock.report import NodeReport, TransformReport
from penstock.spec import Artifact
from tasks.dbt_runner.results import read_nodes

logger = logging.getLogger("penstock.dbt")


class DbtSelection(Artifact):
    """What to build, in dbt's own selection syntax; nothing where `select` is empty.

    `must_select`: a person wrote the selection, so that finding no node for it is a mistake.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    must_select: bool = False


class DbtBuild(Artifact):
    """What to build and where. `state_dir` keeps target and logs, so that the next run parses only what changed."""

    project_dir: Path
    profiles_dir: Path
    target: str
    state_dir: Path
    selection: DbtSelection
    threads: int | None = None


def build(request: DbtBuild, environment: Mapping[str, str]) -> TransformReport:
    """Builds the selected nodes with their tests.

    Args:
        request: What to build.
        environment: Variables that lead dbt's profile to the warehouse; they are given to the process only.

    Returns:
        A report whose outcome is `built`, `failed` (a node failed; the others are named too) or `nothing_selected`.

    Raises:
        ConfigurationError: there is no dbt project.
        TransformError: dbt ended before it built anything, for instance because the project does not parse.
    """
    if not (request.project_dir / "dbt_project.yml").is_file():
        raise ConfigurationError(
            "there is no dbt project", guidance="Set dbt.project in the platform file.", folder=request.project_dir
        )
    target_path = request.state_dir / "target"
    target_path.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with FileLock(request.state_dir / "dbt.lock"):
        (target_path / "run_results.json").unlink(missing_ok=True)
        exit_code, last_error = _run(_command(request, target_path), environment)
        nodes = read_nodes(target_path)
    return _report(request, nodes, exit_code=exit_code, last_error=last_error, seconds=time.monotonic() - began)


def _command(request: DbtBuild, target_path: Path) -> list[str]:
    options = {
        "--project-dir": request.project_dir,
        "--profiles-dir": request.profiles_dir,
        "--target": request.target,
        "--target-path": target_path,
        "--log-path": request.state_dir / "logs",
        "--log-format": "json",
    }
    command = [sys.executable, "-m", "dbt.cli.main", "build"]
    command += [text for name, value in options.items() for text in (name, str(value))]
    if request.threads:
        command += ["--threads", str(request.threads)]
    # Unit tests check the models' logic, not this run's data: they belong to CI.
    command += ["--exclude-resource-type", "unit_test", "--select", *request.selection.select]
    return [*command, "--exclude", *request.selection.exclude] if request.selection.exclude else command


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str | None]:
    """Runs dbt, logs each node as it ends, and returns the exit code with the last error dbt logged."""
    last_error = None
    variables = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", **environment}
    with subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stdout or ():
                last_error = _log_line(line) or last_error
        except BaseException:
            process.terminate()
            raise
    return process.returncode, last_error


def _log_line(line: str) -> str | None:
    """Passes one of dbt's log lines on, and returns its text where it is an error."""
    try:
        event = json.loads(line)
        info = event["info"]
        if info["level"] == "error":
            logger.error("%s", info["msg"])
            return str(info["msg"])
        if info["name"] == "LogModelResult":
            logger.info("dbt: %s in %.1f s", event["data"]["node_info"]["node_name"], event["data"]["execution_time"])
    except (ValueError, KeyError, TypeError):  # not of dbt's log, such as a complaint about an option
        text = line.strip()
        return text if text.startswith(("Error", "Usage:")) else None
    return None


def _report(
    request: DbtBuild, nodes: tuple[NodeReport, ...], *, exit_code: int, last_error: str | None, seconds: float
) -> TransformReport:
    if not nodes and exit_code != 0:
        raise TransformError(
            "dbt ended before it built anything",
            guidance="Run `dbt parse` in the project, or read the log.",
            error=last_error,
            exit_code=exit_code,
            log=request.state_dir / "logs" / "dbt.log",
        )
    bad = [node for node in nodes if node.is_bad]
    report = TransformReport(outcome="built", selectors=request.selection.select, nodes=nodes, seconds=seconds)
    if not nodes and request.selection.must_select:
        return report.model_copy(
            update={
                "outcome": "failed",
                "error": f"no dbt node is selected by {' '.join(request.selection.select)}",
                "guidance": "Correct `transform.select` in the pipeline's file.",
            }
        )
    if not nodes:
        return report.model_copy(update={"outcome": "nothing_selected"})
    if bad or exit_code != 0:
        names = ", ".join(f"{node.name} ({node.status})" for node in bad[:5]) or f"exit code {exit_code}"
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""  # noqa: PLR2004 - as many as are named
        return report.model_copy(
            update={
                "outcome": "failed",
                "error": f"{len(bad)} of {len(nodes)} dbt nodes did not succeed: {names}{more}",
                "guidance": f"See {request.state_dir / 'logs' / 'dbt.log'}; what was loaded into bronze stays loaded.",
            }
        )
    return report
