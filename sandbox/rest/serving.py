"""A collection as it is served: its records as they stand, cut into the page that a request asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from sandbox.context import PAGING_FAULT_KEY, SandboxContext
from sandbox.rate_limit import RateLimiter
from sandbox.rest.asked import read_asked, read_bounds
from sandbox.rest.collection import Collection
from sandbox.rest.pages import read_page, write_page
from sandbox.rest.store import RecordStore

if TYPE_CHECKING:
    from starlette.requests import Request


class ServedCollection:
    """One collection with its store and its limiter; an emulated API may have some beside what is its own.

    Args:
        name: May hold one `{field}`, which selects the records of a parent.
    """

    def __init__(self, name: str, collection: Collection, context: SandboxContext) -> None:
        self._context = context
        self.collection = collection
        before, brace, after = name.partition("{")
        self.parent_name = before.rstrip("/") if brace else ""
        column, _, self.suffix = after.partition("}")
        self.store = RecordStore(collection, now=context.clock.now, parent_column=column)
        limit = collection.rate_limit
        self.limiter = RateLimiter(limit.requests, per_seconds=limit.per_seconds) if limit else None

    async def page(self, request: Request, parent: str = "") -> Response:
        """Answers with a page, and the faults that it meets: late rows, changed columns, spoiled pointers.

        Raises:
            BadQueryError: A parameter is malformed; each API words that in its own way.
        """
        asked = await read_asked(request)
        path, now = request.scope["path"], self._context.clock.now()
        wanted = read_page(
            asked,
            self.collection.paging,
            url=str(request.url.replace(query="")),
            query=self._without_key(request),
            spoiled=request.scope.get(PAGING_FAULT_KEY, ""),
        )
        bounds = read_bounds(asked, self.collection.time_filter)
        late_rows = self._context.faults.late_rows(path, now)
        records = self.store.select(bounds, parent=parent, late_rows=late_rows)
        changes = self._context.faults.schema_changes(path, now)
        page = write_page(records, wanted, collection=self.collection, changes=changes)
        return Response(page.body, headers=page.headers, media_type="application/json")

    def _without_key(self, request: Request) -> dict[str, str]:
        # The next page's URL does not repeat the key: a client signs every request itself.
        auth = self.collection.auth
        secret = auth.name if auth.kind == "api_key_query" else ""
        return {name: value for name, value in request.query_params.items() if name != secret}
