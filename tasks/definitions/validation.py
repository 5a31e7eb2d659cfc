"""Turns a located tree into a frozen type, or into every problem that stands in the way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from penstock.findings import Finding
from penstock.spec import Spec
from tasks.definitions.problems import Problem
from tasks.definitions.references import has_reference
from tasks.definitions.schema_walk import Place, find, locate
from tasks.definitions.tree import Entry, Items, Mapping, Node, PlainScalar, Scalar, dotted, plain
from tasks.definitions.wording import TOO_SHORT, Wording, word

S = TypeVar("S", bound=Spec)


# What may stand where a type takes no text with a reference in it: a name, an address, a number.
_STAND_INS = ("reference", "https://reference.invalid", 1)


class Validated(NamedTuple, Generic[S]):
    """What came of a tree. `spec` may be there beside problems: it is then the file without its unknown keys."""

    spec: S | None
    problems: list[Problem]


class _Fault(NamedTuple):
    place: Place
    wording: Wording
    is_unknown_key: bool

    @property
    def is_at_reference(self) -> bool:
        """Whether the value has a reference, so that nothing can be said of it where references were kept."""
        node = self.place.node
        return not self.is_unknown_key and isinstance(node, Scalar) and has_reference(node.text)


def validate(model: type[S], root: Mapping, *, keeps_references: bool = False) -> Validated[S]:
    """Validates a file's tree as a type.

    All problems are found at once; those of a choice between plain types (text or a list) become one. A file whose only
    faults are unknown keys is read without them, so that what it means can be checked in the same pass.

    Args:
        model: The type.
        root: The file's tree.
        keeps_references: Whether references were kept, as for checks that must not depend on a machine: nothing is
            said of their values, and something that the type takes stands in for them.
    """
    spec, faults = _read(model, root)
    for stand_in in _STAND_INS if keeps_references else ():
        waiting = {fault.place.path for fault in faults if fault.is_at_reference}
        if waiting:
            root = _with_values(root, waiting, stand_in)
            spec, faults = _read(model, root)
    problems = [
        _problem(fault) for fault in _without_echoes(faults) if not (keeps_references and fault.is_at_reference)
    ]
    if spec is None and all(fault.is_unknown_key for fault in faults):
        spec, _ = _read(model, _without(root, {fault.place.path for fault in faults}))
    return Validated(spec, problems)


def _read(model: type[S], root: Mapping) -> tuple[S | None, list[_Fault]]:
    try:
        return model.model_validate(plain(root)), []
    except ValidationError as error:
        return None, [_fault(model, root, one) for one in error.errors(include_url=False)]


def problems_of(error: ValidationError, model: type[BaseModel], root: Mapping) -> list[Problem]:
    """Returns what Pydantic has against a tree, as `validate` would, for a type that is not one of Penstock's."""
    faults = [_fault(model, root, one) for one in error.errors(include_url=False)]
    return [_problem(fault) for fault in _without_echoes(faults)]


def to_problem(finding: Finding, root: Mapping) -> Problem:
    """Returns a finding of a check as a problem, with its place in the file."""
    return Problem(
        *find(root, finding.where),
        key=dotted(finding.where),
        message=finding.message,
        suggestion=finding.suggestion,
        guidance=finding.guidance,
        is_error=finding.is_error,
    )


def _fault(model: type[BaseModel], root: Mapping, error: ErrorDetails) -> _Fault:
    place = locate(model, root, error["loc"])
    return _Fault(place, word(error, place), error["type"] == "extra_forbidden")


def _problem(fault: _Fault) -> Problem:
    place, wording = fault.place, fault.wording
    path = place.path[:-1] if wording.message.endswith(" is missing") else place.path
    return Problem(
        *place.mark,
        key=dotted(path),
        message=wording.message,
        seen=wording.seen,
        expected=wording.expected,
        suggestion=wording.suggestion,
    )


def _without_echoes(faults: list[_Fault]) -> Iterator[_Fault]:
    """Yields one fault where Pydantic has one for each type that a value could have been.

    A fault deeper in the value belongs to the type that came nearest, so the deepest is kept. A list whose items are
    all at fault is not too short besides.
    """
    paths = {fault.place.path for fault in faults}

    def choice(fault: _Fault) -> tuple[str | int, ...] | int:
        depth = fault.place.union_depth
        return id(fault) if depth is None else fault.place.path[:depth]

    for _, group in groupby(faults, key=choice):
        same = list(group)
        above = same[0].place.path
        if same[0].wording.message == TOO_SHORT and any(path[: len(above)] == above != path for path in paths):
            continue
        deepest = max(len(fault.place.path) for fault in same)
        nearest = [fault for fault in same if len(fault.place.path) == deepest]
        yield _joined(nearest) if len({fault.place.path for fault in nearest}) == 1 else nearest[0]


def _joined(faults: list[_Fault]) -> _Fault:
    expected = " or ".join(dict.fromkeys(fault.wording.expected for fault in faults if fault.wording.expected))
    suggestion = next((fault.wording.suggestion for fault in faults if fault.wording.suggestion), None)
    first = faults[0]
    return first._replace(wording=first.wording._replace(expected=expected or None, suggestion=suggestion))


def _without(node: Mapping, paths: Iterable[tuple[str | int, ...]]) -> Mapping:
    refused = frozenset(paths)

    def pruned(node: Node, path: tuple[str | int, ...]) -> Node:
        if isinstance(node, Mapping):
            kept = {key: entry for key, entry in node.entries.items() if (*path, key) not in refused}
            return Mapping(
                {key: Entry(entry.key_mark, pruned(entry.value, (*path, key))) for key, entry in kept.items()},
                node.mark,
            )
        if isinstance(node, Items):
            return Items([pruned(item, (*path, index)) for index, item in enumerate(node.items)], node.mark)
        return node

    result = pruned(node, ())
    return result if isinstance(result, Mapping) else node


def _with_values(node: Mapping, paths: Collection[tuple[str | int, ...]], value: PlainScalar) -> Mapping:
    def replaced(node: Node, path: tuple[str | int, ...]) -> Node:
        if isinstance(node, Mapping):
            entries = {
                key: Entry(entry.key_mark, replaced(entry.value, (*path, key))) for key, entry in node.entries.items()
            }
            return Mapping(entries, node.mark)
        if isinstance(node, Items):
            return Items([replaced(item, (*path, index)) for index, item in enumerate(node.items)], node.mark)
        return replace(node, value=value) if path in paths else node

    result = replaced(node, ())
    return result if isinstance(result, Mapping) else node
