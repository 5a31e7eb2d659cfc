"""Measures a program: its time from start to end, and the peak memory of it and of its children together."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import psutil

SAMPLE_SECONDS = 0.02


class Measured(NamedTuple):
    """One run; `peak_mb` is the largest sum of resident memory that a sample saw."""

    seconds: float
    peak_mb: float
    output: str


def run_measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Runs a program to its end; its failure ends the benchmark with its output."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    output = process.communicate()[0]
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ended with {process.returncode}:\n{output}")
    return Measured(seconds, peak[0] / 2**20, output)


def _watch(pid: int, peak: list[float]) -> None:
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            total = 0
            for process in (root, *root.children(recursive=True)):
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            peak[0] = max(peak[0], total)
            time.sleep(SAMPLE_SECONDS)
    except psutil.NoSuchProcess:
        return


def print_line(name: str, seconds: float, peak_mb: float | None = None) -> None:
    """Prints one measured thing."""
    memory = f"  {peak_mb:6.0f} MB" if peak_mb is not None else ""
    print(f"  {name:56} {seconds:8.3f} s{memory}", flush=True)
