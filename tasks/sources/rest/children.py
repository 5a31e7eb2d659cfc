"""Endpoints that are asked once per record of another: the parents' values, and what each brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec

from penstock.errors import DataError, RejectedError
from penstock.sources.rest import ParentSpec
from tasks.sources.http.client import HttpClient
from tasks.sources.http.request import HttpRequest
from tasks.sources.rest.body import field_of
from tasks.sources.rest.files import JsonLinesFiles
from tasks.sources.rest.page import Endpoint, Page
from tasks.sources.rest.walk import walk

_NOT_FOUND = 404
# Parents handed to the threads at a time, so that a million of them do not wait there as a million futures.
_BATCH = 1_000

ParentValue = str | int


def parent_values(client: HttpClient, parent: ParentSpec, warn: Callable[[str], None]) -> list[ParentValue]:
    """Returns the listed values, or what the parents' records hold in the field, each value once, in order.

    All parents are read before the first child: a cursor could expire in between, and a parent that moved to another
    page meanwhile would bring its children twice.

    Raises:
        DataError: A record has no such field, or no text or whole number in it.
    """
    if parent.path is None or parent.field is None:
        return list(dict.fromkeys(parent.values))
    endpoint = Endpoint(
        request=HttpRequest(
            parent.path, parent.path, method=parent.method, parameters=parent.parameters, body=parent.body
        ),
        records=parent.records,
        paging=parent.paging,
        total=parent.total,
    )
    values: dict[ParentValue, None] = {}
    passed_over = 0
    for page in walk(client, endpoint, warn):
        for record in page.records:
            if not all(field_of(record, field) in texts for field, texts in parent.where.items()):
                passed_over += 1
                continue
            value = field_of(record, parent.field)
            if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
                raise DataError(
                    "a parent's record has no value to ask for its children with",
                    guidance="Check the parent's `field`; it must hold a text or a whole number in every record.",
                    endpoint=parent.path,
                    field=parent.field,
                )
            values[value] = None
    if passed_over and not values:
        warn(f"none of {passed_over} parents is as `where` asks, so there are no children")
    return list(values)


def write_children(
    ask: Callable[[Endpoint], Iterator[Page]],
    endpoint: Endpoint,
    parent: ParentSpec,
    *,
    values: Sequence[ParentValue],
    files: JsonLinesFiles,
) -> int:
    """Writes the children of each parent, `endpoint.concurrency` parents at once; returns how many parents were gone.

    Args:
        ask: Yields an endpoint's pages.
        endpoint: The children's, with `{name}` where the parent's value belongs.
        parent: How it is filled in.
        values: The parents.
        files: Where children go, each carrying its parent's value.

    Raises:
        RejectedError: A parent was gone (404) and the pipeline does not say that this may happen.
    """

    def write_one(value: ParentValue) -> bool:
        try:
            for page in ask(_endpoint_for(endpoint, parent.name, value)):
                files.write(page.lines, len(page.records), was_mended=page.was_mended)
        except RejectedError as error:
            if parent.gone == "skip" and error.facts.get("status") == _NOT_FOUND:
                return True
            raise
        return False

    return sum(_each(write_one, values, endpoint.concurrency))


def _endpoint_for(endpoint: Endpoint, name: str, value: ParentValue) -> Endpoint:
    """Returns the children's endpoint of one parent, whose value its records carry."""
    request = endpoint.request
    own = replace(
        request,
        url=request.url.replace(f"{{{name}}}", quote(str(value), safe="")),
        parameters=_filled(request.parameters, f"{{{name}}}", value),
        body=_filled(request.body, f"{{{name}}}", value),
    )
    carried = {**endpoint.carried, name: msgspec.json.encode(value)}
    return endpoint._replace(request=own, carried=carried, concurrency=1)


def _filled(template: Any, placeholder: str, value: ParentValue) -> Any:
    """Returns a template with a value in its place: as itself where it stands alone, as text inside of a text."""
    if isinstance(template, str):
        return value if template == placeholder else template.replace(placeholder, str(value))
    if isinstance(template, Mapping):
        return {key: _filled(inner, placeholder, value) for key, inner in template.items()}
    if isinstance(template, list | tuple):
        return [_filled(inner, placeholder, value) for inner in template]
    return template


def _each(function: Callable[[ParentValue], bool], values: Sequence[ParentValue], concurrency: int) -> Iterator[bool]:
    if concurrency == 1:
        yield from map(function, values)
        return
    with ThreadPoolExecutor(concurrency, thread_name_prefix="penstock-children") as pool:
        for start in range(0, len(values), _BATCH):
            yield from pool.map(function, values[start : start + _BATCH])
