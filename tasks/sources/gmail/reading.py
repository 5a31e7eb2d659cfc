"""The messages of an interval: listed page by page, asked for several at once, and cut exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from penstock.artifacts import Interval
from penstock.errors import RejectedError
from penstock.sources.gmail import GmailDataset
from penstock.sources.rest import CursorPaging
from tasks.sources.gmail.api import list_request, message_request
from tasks.sources.gmail.choosing import list_parameters
from tasks.sources.gmail.message import MessageRead, read_message
from tasks.sources.gmail.period import is_within
from tasks.sources.http.client import HttpClient
from tasks.sources.rest.body import field_of
from tasks.sources.rest.page import Endpoint
from tasks.sources.rest.walk import walk

T = TypeVar("T")
_PAGES = CursorPaging(kind="cursor", parameter="pageToken", path="nextPageToken")
_NOT_FOUND = 404


class Mailbox:
    """One mailbox, read for one dataset and interval.

    Args:
        client: Asks as the mailbox's owner.
        name: Its address.
        dataset: What is meant.
        interval: When it arrived.
    """

    def __init__(self, client: HttpClient, name: str, dataset: GmailDataset, interval: Interval) -> None:
        self.client = client
        self.name = name
        self.dataset = dataset
        self._interval = interval
        self.vanished = 0
        """How many messages were listed and gone when they were asked for."""

    def each_message(self, parameters: dict[str, Any], act: Callable[[MessageRead], T]) -> Iterator[T]:
        """Yields what `act` makes of each message, in the list's order, newest first.

        Args:
            parameters: What a message is asked for with.
            act: Called from several threads at once.
        """

        def read_and_act(message_id: str) -> list[T] | None:
            message = self._message(message_id, parameters)
            if message is None:
                return None
            return [act(message)] if is_within(message.internal_date, self._interval) else []

        with ThreadPoolExecutor(self.dataset.concurrency, thread_name_prefix="penstock-mail") as pool:
            try:
                for ids in self._pages_of_ids():
                    for made in pool.map(read_and_act, ids):
                        self.vanished += made is None
                        yield from made or ()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _pages_of_ids(self) -> Iterator[list[str]]:
        """Yields ids, each once: what arrives or goes while pages are read moves the others between them."""
        request = list_request(list_parameters(self.client, self.dataset, self._interval))
        endpoint = Endpoint(request, records="messages", paging=_PAGES, absent_is_empty=True)
        seen: set[str] = set()
        for page in walk(self.client, endpoint):
            ids = [str(field_of(record, "id")) for record in page.records]
            fresh = [one for one in dict.fromkeys(ids) if one not in seen]
            seen.update(fresh)
            yield fresh

    def _message(self, message_id: str, parameters: dict[str, Any]) -> MessageRead | None:
        try:
            return self.client.fetch(
                message_request(message_id, parameters), lambda answer: read_message(answer.read())
            )
        except RejectedError as error:
            if error.facts.get("status") != _NOT_FOUND:
                raise
            return None
