"""The git commit that a project's files are at."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

GIT_TIMEOUT_SECONDS = 10
SEPARATOR = "@"


def current_commit(root: Path) -> str | None:
    """Returns the commit of a folder, with `-dirty` where its files differ; None where there is no git or no commit."""
    git = shutil.which("git")
    if git is None:
        return None
    commit = _git(git, root, "rev-parse", "--short=12", "HEAD")
    if not commit:
        return None
    return f"{commit}-dirty" if _git(git, root, "status", "--porcelain", "--", ".") else commit


def with_commit(version: str, commit: str | None) -> str:
    """Returns a compiled version with the commit that it was deployed at."""
    return f"{version}{SEPARATOR}{commit}" if commit else version


def without_commit(version: str | None) -> str | None:
    """Returns the part of a version that changes with the pipeline's meaning alone."""
    return version.split(SEPARATOR, 1)[0] if version else version


def _git(git: str, root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - git with our own arguments
            [git, "-C", str(root), *arguments], capture_output=True, text=True, check=False, timeout=GIT_TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
