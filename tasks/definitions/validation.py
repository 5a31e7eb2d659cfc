"""Turns a located tree into a frozen type, or into every problem that stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from penstock.findings import Finding
from penstock.spec import Spec
from tasks.definitions.problems import Problem
from tasks.definitions.references import has_reference
from tasks.definitions.schema_walk import Place, find, locate
from tasks.definitions.tree import Entry, Items, Mapping, Node, Scalar, dotted, plain
from tasks.definitions.wording import TOO_SHORT, Wording, word

S = TypeVar("S", bound=Spec)


class Validated(NamedTuple, Generic[S]):
    """What came of a tree. `spec` may be there beside problems: it is then the file without its unknown keys."""

    spec: S | None
    problems: list[Problem]


class _Fault(NamedTuple):
    place: Place
    wording: Wording
    is_unknown_key: bool

    @property
    def awaits_environment(self) -> bool:
        """Whether the value is a reference that was kept, so that nothing can be said of it yet."""
        node = self.place.node
        return (
            not self.is_unknown_key
            and isinstance(node, Scalar)
            and isinstance(node.value, str)
            and has_reference(node.value)
        )


def validate(model: type[S], root: Mapping) -> Validated[S]:
    """Validates a file's tree as a type.

    All problems are found at once; those of a choice between plain types (text or a list) become one. A file whose only
    faults are unknown keys, or references that were kept, is read without them, so that what it means can be checked in
    the same pass.
    """
    try:
        return Validated(model.model_validate(plain(root)), [])
    except ValidationError as error:
        faults = [_fault(model, root, one) for one in error.errors(include_url=False)]
    problems = [_problem(fault) for fault in _without_echoes(faults) if not fault.awaits_environment]
    if not all(fault.is_unknown_key or fault.awaits_environment for fault in faults):
        return Validated(None, problems)
    pruned = _without(root, {fault.place.path for fault in faults})
    try:
        return Validated(model.model_validate(plain(pruned)), problems)
    except ValidationError:
        return Validated(None, problems)


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
