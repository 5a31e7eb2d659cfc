"""Pages into JSON-lines files of a size that warehouses load well, while the next pages are on their way."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from penstock.artifacts import FileFormat
from tasks.sources.contract import ExtractSink, FileWriter

ROLL_BYTES = 128 * 2**20
"""Size after which a new file begins; Snowflake's COPY is best over many files of 100 to 250 MB."""

# Enough that neither side waits for a hiccup of the other, and no more pages in memory than that.
_PAGES_IN_FLIGHT = 4


class JsonLinesFiles:
    """Writes JSON lines into files of a sink, from a thread of its own; safe to write to from several threads.

    A file begins with its first row, so that no rows make no file. When the block ends badly, the file that is open is
    not part of the batch.

    Args:
        source_name: What `_source_file` will hold, for all files alike: how rows spread over them means nothing.
        roll_bytes: Size after which a new file begins.
    """

    def __init__(self, sink: ExtractSink, source_name: str, *, roll_bytes: int = ROLL_BYTES) -> None:
        self._sink = sink
        self._source_name = source_name
        self._roll_bytes = roll_bytes
        self._lock = threading.Lock()
        self._pending: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="penstock-write")
        self._stack = ExitStack()
        self._file: FileWriter | None = None
        self._file_count = 0
        self._file_bytes = 0
        self._mended = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._drain(0)
                self._warn()
        except BaseException as failed:
            kind, error, trace = type(failed), failed, failed.__traceback__
            raise
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._stack.__exit__(kind, error, trace)

    def write(self, lines: bytes, row_count: int, *, was_mended: bool = False) -> None:
        """Hands on a page's lines (without a last line break); waits where the sink is slower than the source."""
        if row_count == 0:
            return
        with self._lock:
            self._mended += was_mended
            self._drain(_PAGES_IN_FLIGHT - 1)
            self._pending.append(self._pool.submit(self._append, lines, row_count))

    def _warn(self) -> None:
        if self._mended:
            self._sink.warn(f"{self._mended} pages had halves of UTF-16 pairs in their text, now U+FFFD")

    def _drain(self, keep: int) -> None:
        while len(self._pending) > keep:
            self._pending.popleft().result()

    def _append(self, lines: bytes, row_count: int) -> None:
        if self._file is None or self._file_bytes >= self._roll_bytes:
            self._file = self._open_next()
        self._file.write(lines, row_count)
        self._file.write(b"\n")
        self._file_bytes += len(lines) + 1

    def _open_next(self) -> FileWriter:
        self._stack.close()
        self._file_count += 1
        self._file_bytes = 0
        name = f"part-{self._file_count:05d}.jsonl"
        return self._stack.enter_context(
            self._sink.open_file(name, format=FileFormat.JSONL, source_name=self._source_name)
        )
