"""What the operating system's refusals mean for whoever uses a folder as a store.

One table maps `errno` to the error tree; a number that it lacks counts as trouble that may pass.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from penstock.errors import ConfigurationError, DataError, Meaning, PenstockError, RejectedError, TransientError

_MISSING = Meaning(DataError, "the store has no such object", "Check the key, and whether a clean-up removed it.")
_DENIED = Meaning(
    RejectedError,
    "the folder refuses access",
    "Give the user that runs Penstock the right to read and write the folder and what is in it.",
)
_FULL = Meaning(
    TransientError,
    "the folder's disk is full",
    "Free space or raise the quota; what was half written has been removed.",
)
_NAME_CLASH = Meaning(
    ConfigurationError,
    "a key goes through the name of an object, or names a folder",
    "A folder cannot hold both an object and a folder of one name; choose another key.",
)
_EXHAUSTED = Meaning(
    TransientError, "too many files are open", "Raise the limit of open files, or run fewer datasets at once."
)
_BROKEN = Meaning(
    TransientError, "the folder does not answer as it should", "Check the disk or the network share, then run again."
)

MEANINGS: dict[int, Meaning] = {
    errno.ENOENT: _MISSING,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: Meaning(RejectedError, "the folder is read-only", "Mount it for writing, or use another folder."),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: Meaning(RejectedError, "the file system refuses a file this large", "Write it in smaller parts."),
    errno.ENAMETOOLONG: Meaning(
        ConfigurationError, "the object's path is too long for this folder", "Use a shorter key or a shorter folder."
    ),
    errno.ENOTDIR: _NAME_CLASH,
    errno.EISDIR: _NAME_CLASH,
    errno.EEXIST: _NAME_CLASH,
    errno.ENOTEMPTY: _NAME_CLASH,
    errno.ELOOP: Meaning(
        ConfigurationError, "symbolic links in the folder lead in a circle", "Remove the link that points at itself."
    ),
    errno.EXDEV: Meaning(
        ConfigurationError,
        "part of the folder is on another file system",
        "Use a folder that lies on one file system, so that files can appear in it whole.",
    ),
    errno.EMFILE: _EXHAUSTED,
    errno.ENFILE: _EXHAUSTED,
    errno.EIO: _BROKEN,
    errno.ESTALE: _BROKEN,
    errno.ETIMEDOUT: _BROKEN,
    errno.EBUSY: _BROKEN,
    errno.EAGAIN: _BROKEN,
    errno.ENOMEM: _BROKEN,
}


def folder_error(error: OSError, key: str) -> PenstockError:
    """Returns the tree's error for what happened to `key`; raise it `from` the driver's."""
    meaning = MEANINGS.get(error.errno or 0, _BROKEN)
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return meaning.kind(meaning.message, guidance=meaning.guidance, key=key, errno=name)


@contextmanager
def explained(key: str) -> Iterator[None]:
    """Turns an `OSError` of its block into the tree's error for `key`."""
    try:
        yield
    except OSError as error:
        raise folder_error(error, key) from error
