"""Which messages and which attachments a dataset means."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.findings import nearest
from penstock.sources.gmail import GmailDataset
from tasks.sources.gmail.api import labels_request
from tasks.sources.gmail.message import Part, filename_of, parts_of
from tasks.sources.gmail.period import search_terms
from tasks.sources.http.client import HttpClient
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.rest.body import read_body


class _Label(msgspec.Struct):
    id: str
    name: str


def list_parameters(client: HttpClient, dataset: GmailDataset, interval: Interval) -> dict[str, Any]:
    """Returns what the list of a dataset's messages is asked with.

    Raises:
        ConfigurationError: The mailbox has no label of a name.
    """
    # A query of several alternatives would otherwise bind the window to the last of them.
    query = f"({dataset.query})" if dataset.query else ""
    terms = " ".join(term for term in (query, search_terms(interval)) if term)
    asked: dict[str, Any] = {"q": terms} if terms else {}
    if dataset.labels:
        asked["labelIds"] = _label_ids(client, dataset.labels)
    if dataset.include_spam_trash:
        asked["includeSpamTrash"] = "true"
    return asked


def chosen_parts(payload: Part, dataset: GmailDataset) -> Iterator[tuple[str, Part]]:
    """Yields the attachments that a dataset means, each with a name that no other of the message has."""
    seen: set[str] = set()
    for part in parts_of(payload):
        filename = filename_of(part)
        if part.is_attachment and _is_chosen(filename, part.mime_type, dataset):
            name = filename if filename not in seen else f"{part.part_id}-{filename}"
            seen.add(name)
            yield name, part


def _is_chosen(filename: str, content_type: str, dataset: GmailDataset) -> bool:
    if dataset.filenames and not any(fnmatchcase(_folded(filename), _folded(glob)) for glob in dataset.filenames):
        return False
    types = dataset.content_types
    return not types or any(fnmatchcase(content_type.lower(), glob.lower()) for glob in types)


def _label_ids(client: HttpClient, names: Sequence[str]) -> list[str]:
    """Returns the ids of labels, which a person knows by their names."""
    labels = client.fetch(labels_request(), lambda answer: _read_labels(answer.read()))
    ids = {label.name: label.id for label in labels} | {label.id: label.id for label in labels}
    for name in names:
        if name not in ids:
            close = nearest(name, ids)
            raise ConfigurationError(
                "the mailbox has no such label",
                guidance=f"Did you mean {close}?" if close else "Write it as Gmail shows it, with the labels above it.",
                connection=client.connection_name,
                label=name,
            )
    return [ids[name] for name in names]


def _read_labels(content: bytes) -> list[_Label]:
    try:
        return msgspec.convert(read_body(content).value("labels") or [], list[_Label])
    except msgspec.ValidationError:
        raise UnreadableBodyError(
            "the answer is no list of labels", guidance="The API answered with a success status and something else."
        ) from None


def _folded(name: str) -> str:
    """Returns a name as names are compared: macOS sends an umlaut as two characters, and keyboards write one."""
    return unicodedata.normalize("NFC", name).lower()
