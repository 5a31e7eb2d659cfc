"""What a transform has done so far, kept in the object store, so that another machine can go on from it."""

from __future__ import annotations

import gzip
import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from penstock.report import NodeReport
from penstock.spec import Artifact
from tasks.staging.contract import ObjectStore

if TYPE_CHECKING:
    from hashlib import _Hash as Digest

logger = logging.getLogger("penstock.dbt")
_FLUSH_SECONDS = 2.0
_IGNORED = frozenset({"target", "logs", "dbt_packages", "__pycache__"})


class Progress(Artifact):
    """The nodes of one transform that ended so far."""

    version: Literal[1] = 1
    finished: bool
    nodes: tuple[NodeReport, ...]


class Journal:
    """The progress of one transform.

    Args:
        store: The lake.
        folder: Prefix of the transform's objects.
    """

    def __init__(self, store: ObjectStore, folder: str) -> None:
        self._store = store
        self._folder = folder
        self._nodes: dict[str, NodeReport] = {}
        self._lock = threading.Lock()
        self._is_written = True

    @property
    def key(self) -> str:
        """Where the progress is."""
        return f"{self._folder}/progress.json"

    @property
    def nodes(self) -> tuple[NodeReport, ...]:
        """The nodes that ended so far, each as it ended last."""
        with self._lock:
            return tuple(self._nodes.values())

    def resume(self) -> tuple[NodeReport, ...]:
        """Takes over what an earlier, unfinished run of the same transform has done, and returns it."""
        if self._store.stat(self.key) is None:
            return ()
        with self._store.open_read(self.key) as file:
            data = file.read()
        try:
            progress = Progress.model_validate_json(data)
        except ValidationError:
            logger.warning("the progress of an earlier transform cannot be read, building all of it: %s", self.key)
            return ()
        if progress.finished:
            return ()
        self.add(progress.nodes)
        return progress.nodes

    def forget(self, nodes: Iterable[str]) -> None:
        """Drops nodes that are to be built again."""
        with self._lock:
            for node in nodes:
                self._nodes.pop(node, None)

    def add(self, nodes: Iterable[NodeReport]) -> None:
        """Notes how nodes ended."""
        with self._lock:
            self._nodes.update({node.unique_id: node for node in nodes})
            self._is_written = False

    @contextmanager
    def written_meanwhile(self) -> Iterator[None]:
        """Writes the progress every two seconds while the block runs, where there is any, and at its end."""
        ended = threading.Event()

        def write_what_is_new() -> None:
            while not ended.wait(_FLUSH_SECONDS):
                if not self._is_written:
                    self.write(finished=False)

        thread = threading.Thread(target=write_what_is_new, name="penstock-dbt-progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.write(finished=False)

    def write(self, *, finished: bool) -> None:
        """Writes the progress; a finished transform is not gone on with."""
        self._is_written = True
        data = Progress(finished=finished, nodes=self.nodes).model_dump_json().encode()
        with self._store.open_write(self.key) as file:
            file.write(data)

    def keep(self, attempt: int, artifacts: dict[str, bytes]) -> None:
        """Keeps dbt's own files of one build, compressed."""
        for name, data in artifacts.items():
            with self._store.open_write(f"{self._folder}/attempt-{attempt}/{name}.gz") as file:
                file.write(gzip.compress(data, 1))


def transform_id(loads: Iterable[str], selection: str, project_dir: Path | None, target: str) -> str:
    """Returns an id that is the same as long as the data, the selection and the project's files are.

    Args:
        loads: The last load of each table that the transform reads.
        selection: What is built.
        project_dir: Folder of the dbt project; None where its files are elsewhere.
        target: The profile's target, or what else says where it is built.
    """
    digest = sha256("\n".join([target, selection, *sorted(loads)]).encode())
    if project_dir is not None:
        _digest_project(project_dir, digest)
    return digest.hexdigest()[:16]


def _digest_project(project_dir: Path, digest: Digest) -> None:
    for path in sorted(project_dir.rglob("*")):
        inside = path.relative_to(project_dir)
        if (
            not _IGNORED.intersection(inside.parts)
            and path.is_file()
            and path.suffix in {".sql", ".yml", ".yaml", ".csv", ".py"}
        ):
            digest.update(f"\n{inside}\n".encode() + path.read_bytes())
