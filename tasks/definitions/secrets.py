"""Whether a platform file keeps its secrets to itself: references are written in full, and secrets stand elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from penstock.platform import PlatformSpec
from tasks.definitions.problems import Problem
from tasks.definitions.references import has_reference
from tasks.definitions.schema_walk import locate
from tasks.definitions.tree import Items, Mapping, Node, Scalar, dotted

_Path = tuple[str | int, ...]
# A shell's other way to write a variable, as a whole value or as the first folder of a path.
_BARE_REFERENCE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)(?=$|/)")
_ADDRESS_KEYS = ("base_url", "token_url", "endpoint_url", "sts_endpoint_url", "host")
# How deep in the file the settings of a connection stand.
_DEPTHS = {"connections": 2, "dbt": 2, "store": 1, "warehouse": 1}


def reference_problems(root: Mapping, kept: frozenset[str]) -> Iterator[Problem]:
    """Yields values that begin with `$NAME`, which nothing replaces.

    Args:
        root: The file, as it is written.
        kept: Top-level keys that another program reads.
    """
    for path, node in _scalars(root, ()):
        match = _BARE_REFERENCE.match(node.text)
        if match and path[0] not in kept:
            yield Problem(
                *node.mark,
                dotted(path),
                "a reference to the environment is written with braces",
                suggestion=f"${{{match[1]}}}{node.text[match.end() :]}",
            )


def literal_secrets(written: Mapping, resolved: Mapping) -> Iterator[Problem]:
    """Yields a warning for each secret that stands in the file, unless its connection stays on this machine.

    Args:
        written: The file as it is written.
        resolved: The same with its references replaced, by their defaults where there is no environment.
    """
    for path, node in _scalars(written, ()):
        depth = _DEPTHS.get(str(path[0]))
        if depth is None or not node.text or has_reference(node.text) or _BARE_REFERENCE.match(node.text):
            continue
        if _is_secret(written, path, depth) and not _is_local(resolved, path[:depth]):
            yield Problem(
                *node.mark,
                dotted(path),
                "a secret stands in the file",
                expected="`${NAME}`, which is read from the environment, or a Prefect block",
                guidance="Whoever can read the project's files can use it: move it, and renew it if it was shared.",
                is_error=False,
            )


def _is_secret(root: Mapping, path: _Path, depth: int) -> bool:
    """Whether the platform's types have a secret at a path; the kinds of connection and of `auth` choose the type."""
    location: list[str | int] = []
    node: Node = root
    for level, part in enumerate(path, start=1):
        location.append(part)
        entry = node.entries.get(str(part)) if isinstance(node, Mapping) else None
        if entry is None:
            return False
        node = entry.value
        kind = _text_of(node, "kind")
        if path[0] == "dbt":
            location += [_text_of(node, "engine") or "core"] if level == 1 else ["inline"] if kind else []
        elif kind:
            location += ["inline", kind] if level == depth else [kind]
    place = locate(PlatformSpec, root, tuple(location))
    return place.path == path and place.is_secret and "://" not in str(getattr(place.node, "text", ""))


def _text_of(node: Node, key: str) -> str | None:
    entry = node.entries.get(key) if isinstance(node, Mapping) else None
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else None


def _is_local(root: Mapping, path: _Path) -> bool:
    """Whether a connection has addresses, and all of them are of this machine."""
    connection: Node = root
    for part in path:
        connection = connection.entries[str(part)].value if isinstance(connection, Mapping) else connection
    found = [
        node.value
        for below, node in _scalars(connection, ())
        if below[-1] in _ADDRESS_KEYS and isinstance(node.value, str)
    ]
    return bool(found) and all(_is_loopback(address) for address in found)


def _is_loopback(address: str) -> bool:
    try:
        host = (urlsplit(address).hostname if "://" in address else address) or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _scalars(node: Node, path: _Path) -> Iterator[tuple[_Path, Scalar]]:
    if isinstance(node, Mapping):
        for key, entry in node.entries.items():
            yield from _scalars(entry.value, (*path, key))
    elif isinstance(node, Items):
        for index, item in enumerate(node.items):
            yield from _scalars(item, (*path, index))
    elif path:
        yield path, node
