"""Lists a folder's files as object keys: in key order, lazily, without holding all names of a large folder."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from penstock.errors import ConfigurationError, DataError
from tasks.staging.folder_errors import explained
from tasks.staging.partial_files import PARTIAL_FOLDER

PAGE_NAMES = 50_000
"""Names of one folder that are yielded between two readings of it: some 10 MB at most, however large the folder."""


def walk(root: str, prefix: str, *, page_names: int = PAGE_NAMES) -> Iterator[tuple[str, os.stat_result]]:
    """Yields (key, stat) of the regular files whose keys start with `prefix`, in key order.

    A folder counts as its name with a closing slash, which is where its keys stand among its neighbours' (`a-b` comes
    before `a/c`). A link to a folder of the same root is passed over, for its files are listed where they really are.

    Args:
        root: The store's root, without symbolic links in its path.
        prefix: As the caller of the store gave it.
        page_names: How many names of one folder to take at a time.

    Raises:
        ConfigurationError: a symbolic link leads out of the root: its files would be missed in silence.
        DataError: a file's name is not UTF-8, so that it has no key.
    """
    folder_key, slash, rest = prefix.rpartition("/")
    yield from _walk_folder(root, folder_key + slash, rest, page_names)


def _walk_folder(root: str, folder_key: str, rest: str, page_names: int) -> Iterator[tuple[str, os.stat_result]]:
    if folder_key.split("/", 1)[0] == PARTIAL_FOLDER:
        return
    folder, after = f"{root}/{folder_key}", ""
    while names := _smallest(_names_after(after, folder, rest, root), page_names):
        for name in names:
            if name.endswith("/"):
                yield from _walk_folder(root, folder_key + name, "", page_names)
            elif found := _stat_file(Path(folder, name), folder_key + name):
                yield folder_key + name, found
        after = names[-1]
        if len(names) < page_names:
            return


def _smallest(names: Iterator[str], count: int) -> list[str]:
    """Returns the smallest names in order, holding twice as many at most."""
    kept: list[str] = []
    while added := list(islice(names, count)):
        kept += added
        kept.sort()
        del kept[count:]
    return kept


def _names_after(after: str, folder: str, rest: str, root: str) -> Iterator[str]:
    """Yields a folder's names beyond `after` that start with `rest`, in the file system's order."""
    with explained(folder):
        try:
            entries = os.scandir(folder)
        except (FileNotFoundError, NotADirectoryError):
            return
        with entries:
            for entry in entries:
                # With a slash, the name is at its largest: this alone passes over what earlier pages had.
                if entry.name.startswith(rest) and f"{entry.name}/" > after:
                    name = _listed_name(entry, root)
                    if name is not None and name > after:
                        yield name


def _listed_name(entry: os.DirEntry[str], root: str) -> str | None:
    if not entry.name.isprintable() and _is_undecodable(entry.name):
        raise DataError(
            "a file's name is not valid UTF-8",
            guidance="Rename the file; an object key has to be Unicode.",
            path=ascii(entry.path),
        )
    if entry.is_symlink():
        if not is_inside(entry.path, root):
            raise link_error(entry.path)
        return None if entry.is_dir() else entry.name
    if entry.is_dir():
        return f"{entry.name}/"
    return entry.name


def _is_undecodable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


def _stat_file(path: Path, key: str) -> os.stat_result | None:
    with explained(key):
        try:
            found = path.stat()
        except FileNotFoundError:  # removed since its folder was read
            return None
    return found if stat.S_ISREG(found.st_mode) else None


def is_inside(path: str, root: str) -> bool:
    """Returns whether a path stays below `root` when all its links are followed."""
    return (os.path.realpath(path) + os.sep).startswith(root.rstrip(os.sep) + os.sep)


def link_error(path: str) -> ConfigurationError:
    """Returns the error for a link that leads out of the root."""
    return ConfigurationError(
        "a symbolic link leads out of the folder",
        guidance="Point the connection at the folder where the files really are, or replace the link by the files.",
        path=path,
    )
