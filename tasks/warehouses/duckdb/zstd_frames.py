"""Whether a Zstandard file is whole: DuckDB 2.0 reads one that was cut off up to there, and says nothing.

Only the headers of frames and blocks are read, as RFC 8878 (section 3.1) lays them out.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_FRAME_MAGIC = 0xFD2FB528
_SKIPPABLE_MAGIC = range(0x184D2A50, 0x184D2A60)
_DICTIONARY_BYTES = (0, 1, 2, 4)
_CONTENT_SIZE_BYTES = (0, 2, 4, 8)
_RLE_BLOCK = 1


def is_whole(path: str) -> bool:
    """Returns whether a file consists of whole frames, and nothing else."""
    size = Path(path).stat().st_size
    with Path(path).open("rb") as file:
        while file.tell() < size:
            try:
                _skip_frame(file)
            except _CutOffError:
                return False
        return file.tell() == size


class _CutOffError(Exception):
    """The file ends within a frame, or is something else."""


def _skip_frame(file: BinaryIO) -> None:
    magic = _number(file, 4)
    if magic in _SKIPPABLE_MAGIC:
        file.seek(_number(file, 4), os.SEEK_CUR)
        return
    if magic != _FRAME_MAGIC:
        raise _CutOffError
    descriptor = _number(file, 1)
    is_single_segment = bool(descriptor & 0x20)
    content_size_bytes = _CONTENT_SIZE_BYTES[descriptor >> 6] or int(is_single_segment)
    window_bytes = 0 if is_single_segment else 1
    file.seek(window_bytes + _DICTIONARY_BYTES[descriptor & 3] + content_size_bytes, os.SEEK_CUR)
    while not _skip_block(file):
        pass
    file.seek(4 if descriptor & 4 else 0, os.SEEK_CUR)


def _skip_block(file: BinaryIO) -> bool:
    """Skips a block and returns whether it was the frame's last."""
    header = _number(file, 3)
    kind, size = header >> 1 & 3, header >> 3
    file.seek(1 if kind == _RLE_BLOCK else size, os.SEEK_CUR)
    return bool(header & 1)


def _number(file: BinaryIO, length: int) -> int:
    data = file.read(length)
    if len(data) < length:
        raise _CutOffError
    return int.from_bytes(data, "little")
