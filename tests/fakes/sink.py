"""A sink that keeps an extraction's files in memory, by the contract's rules."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from penstock.artifacts import Compression, CsvDialect, ExtractedFile, FileFormat, OriginalFile
from tasks.staging.contract import ObjectStore


@dataclass
class WrittenFile:
    """One file and what was said of it."""

    name: str
    format: FileFormat
    source_name: str
    data: bytearray = field(default_factory=bytearray)
    row_count: int | None = 0
    original: OriginalFile | None = None

    def write(self, data: bytes, row_count: int | None = 0) -> None:
        self.data += data
        self.row_count = None if row_count is None or self.row_count is None else self.row_count + row_count

    def rows(self) -> list[dict[str, Any]]:
        text = self.data.decode("utf-8-sig")
        if self.format is FileFormat.CSV:
            return list(csv.DictReader(io.StringIO(text, newline="")))
        return [json.loads(line) for line in text.splitlines() if line.strip()]


class MemorySink:
    """Keeps files whose block ended well; a file whose block ended badly leaves nothing behind."""

    def __init__(self) -> None:
        self.files: list[WrittenFile] = []
        self.existing: list[ExtractedFile] = []
        self.warnings: list[str] = []
        self.abandoned = 0
        self.originals: dict[str, bytes] = {}
        self._lock = threading.Lock()

    @contextmanager
    def open_file(
        self,
        name: str,
        *,
        format: FileFormat,
        compression: Compression = Compression.NONE,
        dialect: CsvDialect | None = None,
        source_name: str,
        original: OriginalFile | None = None,
    ) -> Iterator[WrittenFile]:
        file = WrittenFile(name, format, source_name, original=original)
        try:
            yield file
        except BaseException:
            self.abandoned += 1
            raise
        with self._lock:
            assert name not in {written.name for written in self.files}, f"two files are named {name}"
            self.files.append(file)

    def add_existing(self, file: ExtractedFile) -> None:
        self.existing.append(file)

    @contextmanager
    def write_original(self, name: str) -> Iterator[io.BytesIO]:
        assert name not in self.originals, f"two originals are named {name}"
        file = io.BytesIO()
        yield file
        self.originals[name] = file.getvalue()

    def copy_original(self, name: str, store: ObjectStore, key: str) -> None:
        with self.write_original(name) as file, store.open_read(key) as source:
            file.write(source.read())

    def open_original(self, name: str) -> io.BytesIO:
        return io.BytesIO(self.originals[name])

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    @property
    def row_count(self) -> int:
        return sum(file.row_count or 0 for file in self.files)

    def rows(self) -> list[dict[str, Any]]:
        return [row for file in sorted(self.files, key=lambda file: file.name) for row in file.rows()]
